#pragma once

#include <cmath>
#include <string>

#include "mtl/task/metrics/outputs.hpp"

namespace mtl {

/// Root of the mean squared error, in units of the target.
///
/// Predictions and targets of one shape: [N] or [N, H, W], one output; [N, K] or [N, K, H, W], the
/// mean over the K outputs that have a value. A NaN target is missing. Sample weights [N] >= 0.
/// Without any label: NaN.
struct Rmse {
  static constexpr bool higher_is_better = false;
  std::string name = "rmse";

  using State = task_detail::OutputsState;
  double value(const State& state) const {
    return state.mean([](const auto& sums) { return std::sqrt(sums.squared / sums.total); });
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
