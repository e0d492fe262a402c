#pragma once

#include <cmath>

#include "mtl/task/labels.hpp"

namespace mtl {

/// Squared near the target, linear far from it:
///     e^2 / 2                  where |e| <= delta
///     delta (|e| - delta / 2)  elsewhere                        e = y - t
/// Huber 1964. Prediction and target [N] or [N, ...], real; a missing target is NaN.
struct Huber {
  /// In units of the target, finite and > 0: where an error starts to count as an outlier.
  double delta = 1.0;

  static constexpr LossKind kind = LossKind::regression;

  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    return elementwise(prediction, target, [this](const Tensor& y, const Tensor& t) {
      return torch::huber_loss(y, t, at::Reduction::None, delta);
    });
  }

  /// The mean over a batch without missing labels, in one operation.
  Tensor mean(const Tensor& prediction, const Tensor& target) const {
    return torch::huber_loss(prediction, match_target(prediction, target), at::Reduction::Mean,
                             delta);
  }

  /// Error: delta is not a positive number.
  void check() const {
    if (!(delta > 0 && std::isfinite(delta)))
      throw Error("Huber: delta is {}, expected a positive number", delta);
  }
};

}  // namespace mtl
