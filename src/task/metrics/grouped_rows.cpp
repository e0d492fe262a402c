#include "mtl/task/metrics/grouped_rows.hpp"

#include <cmath>

namespace mtl::task_detail {

void GroupedRows::add(const char* metric, const Tensor& predictions, const Tensor& targets,
                      const Tensor& sample_weights, const Tensor& by) {
  const Tensor predicted = predictions.detach().to(torch::kCPU, torch::kDouble).contiguous();
  const Tensor truth = match_target(predicted, targets).contiguous();
  if (predicted.numel() != predicted.size(0))
    throw Error("{}: predictions {}, expected one a sample, [N] or [N, 1]", metric,
                shape_text(predictions));
  if (!by.defined() || by.numel() != predicted.size(0))
    throw Error(
        "{}: the groups have shape {}, expected one whole number a row, [{}]; set `group` to the "
        "name of the target that holds them",
        metric, shape_text(by), predicted.size(0));
  const Tensor counts = entries_that_count(targets, sample_weights).contiguous();
  const Tensor weights = weights_of_entries(targets, sample_weights).contiguous();
  const Tensor group = by.to(torch::kCPU, torch::kDouble).contiguous();
  for (int64_t n = 0; n < predicted.size(0); ++n) {
    if (!counts.data_ptr<bool>()[n]) continue;
    const double number = group.data_ptr<double>()[n];
    if (number != std::floor(number) || std::abs(number) > 9e15)
      throw RowError(n, "the group in ",
                     " is " + std::to_string(number) + ", expected a whole number");
    groups[static_cast<int64_t>(number)].add(predicted.data_ptr<double>()[n],
                                             truth.data_ptr<double>()[n],
                                             weights.data_ptr<double>()[n]);
  }
}

void GroupedRows::merge(const GroupedRows& other) {
  for (const auto& [number, theirs] : other.groups) groups[number].merge(theirs);
}

}  // namespace mtl::task_detail
