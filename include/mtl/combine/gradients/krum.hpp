#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// Multi-Krum: the mean of the gradients that lie closest to their neighbours, so that outliers
/// have no say. A gradient's score is the sum of its distances to its T - byzantine - 2 nearest.
/// Blanchard et al., Machine Learning with Adversaries, NeurIPS 2017.
class Krum : public GradientCombiner {
 public:
  struct Options {
    int64_t byzantine = 1;  ///< outliers to survive; T >= byzantine + 3
    int64_t selected = 1;   ///< how many of the best are averaged, at most T
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
  };
  Krum() : Krum(Options{}) {}
  explicit Krum(const Options& options);

  /// Error: too few tasks.
  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;

 protected:
  bool keeps_zero_rows() const override { return true; }

 private:
  int64_t byzantine_, selected_;
};

}  // namespace mtl
