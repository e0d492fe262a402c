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

  using State = task_detail::OutputsState;
  double value(const State& state) const {
    return state.mean([](const auto& sums) {
      if (sums.rows < 2 && sums.total <= 1) return task_detail::no_value;
      return task_detail::explained_share(sums.squared / sums.total, sums.targets.variance);
    });
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
