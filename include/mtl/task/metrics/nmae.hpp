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

  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::mean_over_outputs(
        predictions, targets, sample_weights, [](const task_detail::Pairs& pairs) {
          const auto [low, high] = std::minmax_element(pairs.truth.begin(), pairs.truth.end());
          const double error = pairs.mean([&](size_t i) { return std::abs(pairs.error(i)); });
          return *high > *low ? error / (*high - *low) : task_detail::no_value;
        });
  }
};

}  // namespace mtl
