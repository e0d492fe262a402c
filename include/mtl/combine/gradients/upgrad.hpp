#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// Unconflicting projection of gradients: every task gradient is projected on the dual cone (the
/// directions that hurt no task), then averaged. Linear in the length of each gradient.
///     w = sum_i preference_i argmin { v'Gv : v >= e_i }
/// Quinton and Rey, 2024 (arXiv 2406.16232).
class UpGrad : public GradientCombiner {
 public:
  struct Options {
    std::vector<double> preference = {};  ///< >= 0, by task of the registry; empty: 1/T each
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
  };
  UpGrad() : UpGrad(Options{}) {}
  /// Error: a preference is negative or not finite.
  explicit UpGrad(const Options& options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;

 protected:
  bool keeps_zero_rows() const override { return true; }  // it counts in 1/T

 private:
  std::vector<double> preference_;
};

}  // namespace mtl
