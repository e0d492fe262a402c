#pragma once

#include "mtl/task/loss.hpp"

namespace mtl {

/// Negative log-likelihood of a Poisson count whose log rate the head predicts: `e^y - t y`,
/// without the term log(t!) that does not depend on the prediction.
///
/// Prediction and target [N] or [N, ...]; the targets are counts or rates >= 0; a missing one is
/// NaN.
struct Poisson {
  static constexpr LossKind kind = LossKind::regression;
  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const;
  /// The mean over a batch without missing labels, in one operation.
  Tensor mean(const Tensor& prediction, const Tensor& target) const;
};

}  // namespace mtl
