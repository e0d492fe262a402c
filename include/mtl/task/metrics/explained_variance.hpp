#pragma once

#include <cmath>
#include <string>

#include "mtl/task/metrics/outputs.hpp"

namespace mtl {

/// `1 - var(t - y) / var(t)`: R2 that forgives a constant offset. Equal targets as in R2.
///
/// Predictions and targets of one shape: [N] or [N, H, W], one output; [N, K] or [N, K, H, W], the
/// mean over the K outputs that have a value. A NaN target is missing. Sample weights [N] >= 0.
/// Without any label: NaN.
struct ExplainedVariance {
  static constexpr bool higher_is_better = true;
  std::string name = "explained_variance";

  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::mean_over_outputs(
        predictions, targets, sample_weights, [](const task_detail::Pairs& pairs) {
          const double offset = pairs.mean([&](size_t i) { return pairs.error(i); });
          const double spread =
              pairs.mean([&](size_t i) { return std::pow(pairs.error(i) - offset, 2); });
          return task_detail::explained_share(spread, pairs.target_variance());
        });
  }
};

}  // namespace mtl
