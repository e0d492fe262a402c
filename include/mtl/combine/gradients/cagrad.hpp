#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// Conflict-averse gradient: of all directions near the mean gradient g0, the one that helps the
/// worst task most.
///     d = argmax  min_t g_t'd   subject to  |d - g0| <= c |g0|
/// c 0 is the mean, c -> infinity turns to MGDA; c >= 1 never hurts a task to first order.
/// Liu et al., NeurIPS 2021 (arXiv 2110.14048).
class CaGrad : public GradientCombiner {
 public:
  /// What d is divided by: 1, 1 + c^2 (LibMTL's default), 1 + c.
  enum class Rescale { none, by_square, by_sum };
  struct Options {
    double c = 0.4;  ///< >= 0; the paper's; LibMTL and TorchJD take 0.5
    Rescale rescale = Rescale::none;
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
  };
  CaGrad() : CaGrad(Options{}) {}
  /// Error: c is negative or not finite.
  explicit CaGrad(const Options& options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;

 private:
  double c_, factor_;
};

}  // namespace mtl
