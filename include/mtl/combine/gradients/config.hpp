#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// ConFIG, conflict-free inverse gradients: the direction at equal angles to all task gradients, as
/// long as their projections on it together.
///     u = normalise(pinv(U) preference),  U = unit rows;    d = (sum_t g_t'u) u
/// Liu, Chu, Thuerey, 2024 (arXiv 2408.11104).
class ConFig : public GradientCombiner {
 public:
  struct Options {
    std::vector<double> preference = {};                ///< by task of the registry; empty: equal
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
  };
  ConFig() : ConFig(Options{}) {}
  explicit ConFig(const Options& options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;

 private:
  std::vector<double> preference_;
};

}  // namespace mtl
