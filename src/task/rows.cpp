#include "rows.hpp"

#include "mtl/core/batch.hpp"
#include "mtl/core/error.hpp"

namespace mtl::task_detail {

Rows rows_that_count(const Tensor& predictions, const Tensor& targets, const Tensor& sample_weights,
                     const Tensor& labelled) {
  Rows rows{predictions, targets, sample_weights, {}};
  Tensor counts = labelled;
  if (sample_weights.defined()) {
    check_sample_weights(sample_weights, targets.size(0));
    rows.weights = sample_weights.to(targets.device());
    counts = rows.weights.gt(0);
    if (labelled.defined()) counts = counts.logical_and(labelled);
  }
  if (!counts.defined()) return rows;
  const Tensor numbers = counts.nonzero().squeeze(1);
  if (numbers.size(0) == targets.size(0)) return rows;
  rows.numbers = numbers;
  rows.predictions = predictions.index_select(0, numbers);
  rows.targets = targets.index_select(0, numbers);
  if (sample_weights.defined()) rows.weights = rows.weights.index_select(0, numbers);
  return rows;
}

void check_same_samples(const Tensor& predictions, const Tensor& targets) {
  if (predictions.dim() == 0 || targets.dim() == 0 || predictions.size(0) != targets.size(0))
    throw Error("predictions {} and targets {} do not count the same samples",
                shape_text(predictions), shape_text(targets));
}

}  // namespace mtl::task_detail
