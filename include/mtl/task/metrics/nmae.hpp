#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "mtl/task/metrics/outputs.hpp"

namespace mtl {

/// Mean absolute error divided by the range (largest minus smallest) of the targets. NaN where all
/// targets are equal.
///
/// Predictions and targets of one shape: [N] or [N, H, W], one output; [N, K] or [N, K, H, W], the
/// mean over the K outputs that have a value. A NaN target is missing. Sample weights [N] >= 0.
/// Without any label: NaN.
struct Nmae {
  static constexpr bool higher_is_better = false;
  std::string name = "nmae";

  using State = task_detail::OutputsState;
  double value(const State& state) const {
    return state.mean([](const auto& sums) {
      const double range = sums.highest_target - sums.lowest_target;
      return range > 0 ? sums.absolute / sums.total / range : task_detail::no_value;
    });
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
