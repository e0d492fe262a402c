#pragma once

#include <string>

#include "mtl/task/metrics/outputs.hpp"

namespace mtl {

/// Coefficient of determination, `1 - sum w (t - y)^2 / sum w (t - mean t)^2`. Equal targets: 1
/// where the predictions are exact, else 0. One row that counts once, or less: NaN. As
/// scikit-learn's r2_score.
///
/// Predictions and targets of one shape: [N] or [N, H, W], one output; [N, K] or [N, K, H, W], the
/// mean over the K outputs that have a value. A NaN target is missing. Sample weights [N] >= 0.
/// Without any label: NaN.
struct R2 {
  static constexpr bool higher_is_better = true;
  std::string name = "r2";

  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::mean_over_outputs(
        predictions, targets, sample_weights, [](const task_detail::Pairs& pairs) {
          if (pairs.size() < 2 && pairs.total <= 1) return task_detail::no_value;
          return task_detail::explained_share(
              pairs.mean([&](size_t i) { return pairs.error(i) * pairs.error(i); }),
              pairs.target_variance());
        });
  }
};

}  // namespace mtl
