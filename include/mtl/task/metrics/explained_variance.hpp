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

  using State = task_detail::OutputsState;
  double value(const State& state) const {
    return state.mean([](const auto& sums) {
      return task_detail::explained_share(sums.errors.variance, sums.targets.variance);
    });
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
