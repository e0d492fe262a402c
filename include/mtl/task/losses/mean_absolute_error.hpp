#pragma once

#include "mtl/task/labels.hpp"

namespace mtl {

/// Absolute error, `|y - t|`: aims at the median and shrugs at outliers. Its gradient at 0 is 0.
///
/// Prediction and target [N] or [N, ...], real; a missing target is NaN. A sample's value is the
/// mean over its labelled entries.
struct MeanAbsoluteError {
  static constexpr LossKind kind = LossKind::regression;

  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    return elementwise(prediction, target, [](const Tensor& y, const Tensor& t) {
      return torch::l1_loss(y, t, at::Reduction::None);
    });
  }

  /// The mean over a batch without missing labels, in one operation.
  Tensor mean(const Tensor& prediction, const Tensor& target) const {
    return torch::l1_loss(prediction, match_target(prediction, target));
  }
};

}  // namespace mtl
