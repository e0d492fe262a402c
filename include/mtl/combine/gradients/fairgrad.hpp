#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// alpha-fair utility of the tasks' progress: alpha near 0 maximizes the sum, 1 is Nash-MTL, large
/// alpha looks to the slowest task.
///     G w = w^(-1/alpha),  w > 0
/// At Pareto-stationary points there is no such w: no step, and the report says so.
/// Ban and Ji, ICML 2024 (arXiv 2402.15638).
class FairGrad : public GradientCombiner {
 public:
  struct Options {
    double alpha = 1;                                   ///< > 0
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
  };
  FairGrad() : FairGrad(Options{}) {}
  /// Error: alpha is not positive and finite.
  explicit FairGrad(const Options& options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }

 private:
  double alpha_;
};

}  // namespace mtl
