#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// Multiple-gradient descent: the shortest vector in the convex hull of the task gradients. Never
/// hurts a task to first order; stops at Pareto-stationary points, so also where one task has
/// converged.
///     w = argmin  w'Gw   over  w >= 0, sum w = 1          G [T,T] = J J'
/// Desideri, C. R. Acad. Sci. 2012; Sener and Koltun, NeurIPS 2018 (arXiv 1810.04650).
class Mgda : public GradientCombiner {
 public:
  /// What a row is divided by before w is sought (w then applies to the rows as they are): nothing,
  /// as in the paper's theory; its length; its loss; or both, as in the paper's experiments.
  enum class Scale { none, l2, loss, loss_and_l2 };
  struct Options {
    Scale scale = Scale::none;
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
  };
  Mgda() : Mgda(Options{}) {}
  explicit Mgda(const Options& options);

  /// Error: a scale by losses where a loss is not positive or not known.
  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }
  bool keeps_zero_rows() const override { return true; }

 private:
  Scale scale_;
};

}  // namespace mtl
