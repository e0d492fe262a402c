#pragma once

#include <vector>

#include "mtl/task/labels.hpp"

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

  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    const auto count = static_cast<int64_t>(quantiles.size());
    const int64_t values =
        values_per_sample(prediction, target, count, "Q quantiles of each value");
    const Tensor y = prediction.reshape({-1, values, count});
    const Tensor truth = target.reshape({-1, values}).to(prediction.options());
    const Tensor labelled = labelled_entries(target).reshape({-1, values});
    const Tensor missing = labelled.logical_not();
    const Tensor error =
        truth.masked_fill(missing, 0).unsqueeze(2) - y.masked_fill(missing.unsqueeze(2), 0);
    const Tensor q = beside(torch::tensor(quantiles, torch::kDouble), prediction);
    return over_labelled(torch::maximum(q * error, (q - 1) * error).mean(2), labelled);
  }

  /// Error: no quantile, or one outside (0, 1).
  void check() const {
    if (quantiles.empty()) throw Error("Quantile: no quantile is given");
    for (const double quantile : quantiles)
      if (!(quantile > 0 && quantile < 1))
        throw Error("Quantile: {} is not a quantile, expected a number inside (0, 1)", quantile);
  }
};

}  // namespace mtl
