#pragma once

#include "mtl/task/loss.hpp"

namespace mtl {

/// Negative log-likelihood of a Gaussian whose mean and variance the head predicts:
///     (s + (m - t)^2 e^-s) / 2                                  s = log variance
/// without the constant log(2 pi) / 2. Nix and Weigend, ICNN 1994.
///
/// Prediction [N, 2 K]: the K means, then the K log variances. Target [N, K], or [N] for K = 1,
/// real; a missing target is NaN.
struct GaussianNll {
  double smallest_variance = 1e-6;  ///< floor of e^s, > 0: a perfectly fitted sample may not claim
                                    ///< certainty; the same as LibTorch's eps

  static constexpr LossKind kind = LossKind::regression;
  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const;
  /// Error: the smallest variance is not positive.
  void check() const;
};

}  // namespace mtl
