#pragma once

#include <cmath>
#include <string>

#include "mtl/task/metrics/outputs.hpp"

// Errors of depths, in the words of Eigen et al., NIPS 2014. What they take: predictions and
// targets of one shape, [N], [N, H, W] or [N, 1, H, W], depths in one unit, above 0; a NaN target
// is missing. All labelled pixels count alike, each with the weight [N] >= 0 of its sample. NaN
// without any label and where a prediction that counts is NaN.
namespace mtl::task_detail {

/// Adds `error(prediction, target)` of what counts. RowError: a target that is no depth.
template <class F>
void add_depths(WeightedMean& mean, const Tensor& predictions, const Tensor& targets,
                const Tensor& sample_weights, F error) {
  const Tensor counts = entries_that_count(targets, sample_weights);
  const Tensor wrong = targets.to(torch::kCPU).gt(0).logical_not().logical_and(counts);
  if (wrong.any().item<bool>())
    throw RowError(wrong.nonzero()[0][0].item<int64_t>(), "the target has a depth in ",
                   " that is not above 0; a missing depth is NaN");
  for (const Pairs& pairs : pairs_by_output(predictions, targets, sample_weights))
    for (size_t i = 0; i < pairs.size(); ++i)
      mean.add(pairs.weights[i] * error(pairs.predicted[i], pairs.truth[i]), pairs.weights[i]);
}

}  // namespace mtl::task_detail
