#pragma once

#include <cmath>

#include "mtl/task/labels.hpp"

namespace mtl {

/// Negative log-likelihood of a Gaussian whose mean and variance the head predicts:
///     (s + (m - t)^2 e^-s) / 2                                  s = log variance
/// without the constant log(2 pi) / 2. Nix and Weigend, ICNN 1994.
///
/// Prediction [N, 2 K]: the K means, then the K log variances. Target [N, K], or [N] for K = 1,
/// real; a missing target is NaN.
struct GaussianNll {
  /// Floor of e^s, > 0: a perfectly fitted sample may not claim certainty; LibTorch's eps.
  double smallest_variance = 1e-6;

  static constexpr LossKind kind = LossKind::regression;
  static constexpr LossOutputs outputs = LossOutputs::gaussians;

  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    const int64_t values =
        values_per_sample(prediction, target, 2, "K means, then K log variances");
    const Tensor truth = match_target(prediction.narrow(1, 0, values), target);
    const Tensor labelled = labelled_entries(target).reshape(truth.sizes());
    const Tensor missing = labelled.logical_not();
    const Tensor error =
        prediction.narrow(1, 0, values).masked_fill(missing, 0) - truth.masked_fill(missing, 0);
    const Tensor log_variance = prediction.narrow(1, values, values)
                                    .masked_fill(missing, 0)
                                    .clamp_min(std::log(smallest_variance));
    return over_labelled((log_variance + error.square() * (-log_variance).exp()) / 2, labelled);
  }

  /// Error: the smallest variance is not a positive number.
  void check() const {
    if (!(smallest_variance > 0 && std::isfinite(smallest_variance)))
      throw Error("GaussianNll: smallest_variance is {}, expected a positive number",
                  smallest_variance);
  }
};

}  // namespace mtl
