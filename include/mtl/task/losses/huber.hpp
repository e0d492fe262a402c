#pragma once

#include "mtl/task/loss.hpp"

namespace mtl {

/// Squared near the target, linear far from it:
///     e^2 / 2                  where |e| <= delta
///     delta (|e| - delta / 2)  elsewhere                        e = y - t
/// Huber 1964. Prediction and target [N] or [N, ...], real; a missing target is NaN.
struct Huber {
  double delta =
      1.0;  ///< in units of the target, > 0: where an error starts to count as an outlier

  static constexpr LossKind kind = LossKind::regression;
  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const;
  /// The mean over a batch without missing labels, in one operation.
  Tensor mean(const Tensor& prediction, const Tensor& target) const;
  /// Error: delta is not positive.
  void check() const;
};

}  // namespace mtl
