#include "mtl/task/metric.hpp"

#include "mtl/core/error.hpp"
#include "mtl/task/labels.hpp"
#include "rows.hpp"

namespace mtl {

double Metric::operator()(const Tensor& predictions, const Tensor& targets,
                          const Tensor& sample_weights) const {
  if (!sample_weights.defined()) return compute_(predictions, targets, {});
  if (predictions.dim() == 0 || targets.dim() == 0 || predictions.size(0) != targets.size(0))
    throw Error("predictions {} and targets {} do not count the same samples",
                shape_text(predictions), shape_text(targets));
  const auto rows = task_detail::rows_that_count(predictions, targets, sample_weights, {});
  if (!takes_weights_ && rows.weights.numel() > 0 && !rows.weights.min().equal(rows.weights.max()))
    throw Error(
        "the sample weights differ, but the metric takes none; give its function a third argument, "
        "the weights [N]");
  try {
    return compute_(rows.predictions, rows.targets, rows.weights);
  } catch (const RowError& error) {
    throw error.in_whole(rows.numbers);
  }
}

}  // namespace mtl
