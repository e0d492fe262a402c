#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// Nash bargaining of the tasks over the direction: proportional fairness, whatever the lengths of
/// the gradients.
///     G w = 1 / w,  w > 0
/// |J'w| is sqrt(T) always. At Pareto-stationary points there is no such w: no step, and the report
/// says so. Navon et al., ICML 2022 (arXiv 2202.01017).
class NashMtl : public GradientCombiner {
 public:
  struct Options {
    double max_norm = 0;  ///< longest |J'w|; 0: no limit. The paper's code and the peers take 1
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
  };
  NashMtl() : NashMtl(Options{}) {}
  /// Error: max_norm is negative or not finite.
  explicit NashMtl(const Options& options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }

 private:
  double max_norm_;
};

}  // namespace mtl
