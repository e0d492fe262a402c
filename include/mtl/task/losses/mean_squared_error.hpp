#pragma once

#include "mtl/task/labels.hpp"

namespace mtl {

/// Squared error, `(y - t)^2`: the log-likelihood of a real value with Gaussian noise.
///
/// Prediction and target [N] or [N, ...], real; a missing target is NaN. A sample's value is the
/// mean over its labelled entries.
struct MeanSquaredError {
  static constexpr LossKind kind = LossKind::regression;

  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    return elementwise(prediction, target, [](const Tensor& y, const Tensor& t) {
      return torch::mse_loss(y, t, at::Reduction::None);
    });
  }

  /// The mean over a batch without missing labels, in one operation.
  Tensor mean(const Tensor& prediction, const Tensor& target) const {
    return torch::mse_loss(prediction, match_target(prediction, target));
  }
};

}  // namespace mtl
