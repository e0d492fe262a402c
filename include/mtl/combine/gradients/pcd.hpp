#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// Priority-constrained descent: the first task of the registry is the objective, the others are
/// constraints that each get at least a fraction tau of the progress their own gradient would give.
///     d~ = argmin .5 |d - g~_1|^2   subject to  g~_j'd >= tau |g~_j|^2,  j = 2..T,
///     g~_i = g_i / sqrt(v_i + eps),  v_i the bias-corrected running mean of |g_i|^2;
/// the direction is d~ at the length of g_1. Constraints that no direction meets are dropped: the
/// direction is then g_1. Zero where g_1 or d~ is zero. With the first task absent from a batch the
/// first present one takes its place. As TorchJD 0.18 defines it (arXiv 2606.29521).
class Pcd : public GradientCombiner {
 public:
  struct Options {
    double tau = 0.02;                                  ///< in [0, 1]
    double beta = 0.999;                                ///< of the running mean, in [0, 1)
    double eps = 1e-8;                                  ///< >= 0
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
  };
  Pcd() : Pcd(Options{}) {}
  explicit Pcd(const Options& options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 protected:
  bool keeps_zero_rows() const override { return true; }

 private:
  Options options_;
  Eigen::VectorXd mean_square_, steps_;  // by task of the registry
};

}  // namespace mtl
