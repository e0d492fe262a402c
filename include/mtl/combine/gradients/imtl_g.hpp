#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// Impartial learning, gradient part: a direction whose projections on all task gradients are
/// equal.
///     G v = (|g_1|, ..., |g_T|)  by the pseudo-inverse,    w = v / sum v
/// Weights may be negative. Zero where v sums to zero, as it can when the rows cancel.
/// Liu et al., Towards Impartial Multi-task Learning, ICLR 2021.
class ImtlG : public GradientCombiner {
 public:
  struct Options {
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
  };
  ImtlG() : ImtlG(Options{}) {}
  explicit ImtlG(const Options& options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }
};

}  // namespace mtl
