#pragma once

#include <cmath>
#include <string>

#include "mtl/task/metrics/outputs.hpp"

namespace mtl {

/// Mean absolute error, in units of the target.
///
/// Predictions and targets of one shape: [N] or [N, H, W], one output; [N, K] or [N, K, H, W], the
/// mean over the K outputs that have a value. A NaN target is missing. Sample weights [N] >= 0.
/// Without any label: NaN.
struct Mae {
  static constexpr bool higher_is_better = false;
  std::string name = "mae";

  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::mean_over_outputs(
        predictions, targets, sample_weights, [](const task_detail::Pairs& pairs) {
          return pairs.mean([&](size_t i) { return std::abs(pairs.error(i)); });
        });
  }
};

}  // namespace mtl
