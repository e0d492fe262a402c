#pragma once

#include "mtl/task/labels.hpp"

namespace mtl {

/// Negative log-likelihood of a Poisson count whose log rate the head predicts: `e^y - t y`,
/// without the term log(t!) that does not depend on the prediction.
///
/// Prediction and target [N] or [N, ...]; the targets are counts or rates >= 0; a missing one is
/// NaN.
struct Poisson {
  static constexpr LossKind kind = LossKind::regression;

  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    check_counts(target);
    return elementwise(prediction, target,
                       [](const Tensor& y, const Tensor& t) { return y.exp() - t * y; });
  }

  /// The mean over a batch without missing labels, in one operation.
  Tensor mean(const Tensor& prediction, const Tensor& target) const {
    check_counts(target);
    return torch::poisson_nll_loss(prediction, match_target(prediction, target), /*log_input=*/true,
                                   /*full=*/false, /*eps=*/1e-8, at::Reduction::Mean);
  }
};

}  // namespace mtl
