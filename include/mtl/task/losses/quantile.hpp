#pragma once

#include <vector>

#include "mtl/task/loss.hpp"

namespace mtl {

/// Pinball loss: output q of the head learns the q-th quantile of the target,
///     max(q e, (q - 1) e)                                       e = t - y
/// averaged over the quantiles. Koenker and Bassett, Econometrica 1978.
///
/// Prediction [N, K Q]: the Q quantiles of the first value, then those of the next. Target [N, K],
/// or [N] for K = 1, real; a missing target is NaN.
struct Quantile {
  std::vector<double> quantiles = {0.1, 0.5, 0.9};  ///< each inside (0, 1)

  static constexpr LossKind kind = LossKind::regression;
  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const;
  /// Error: no quantile, or one outside (0, 1).
  void check() const;
};

}  // namespace mtl
