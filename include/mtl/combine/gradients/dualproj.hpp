#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// The preferred (by default: mean) gradient, projected on the dual cone: the nearest direction
/// that hurts no task.
///     w = argmin { v'Gv : v >= preference }
/// Lopez-Paz and Ranzato, Gradient Episodic Memory, NeurIPS 2017 (arXiv 1706.08840).
class DualProj : public GradientCombiner {
 public:
  struct Options {
    std::vector<double> preference = {};  ///< >= 0, by task of the registry; empty: 1/T each
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
  };
  DualProj() : DualProj(Options{}) {}
  /// Error: a preference is negative or not finite.
  explicit DualProj(const Options& options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;

 protected:
  bool keeps_zero_rows() const override { return true; }  // it counts in 1/T

 private:
  std::vector<double> preference_;
};

}  // namespace mtl
