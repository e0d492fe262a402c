#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// Correlation-reduced multi-objective gradients: the weights of any other method, smoothed over
/// the steps, so that they no longer follow the noise of one batch.
///     w <- alpha w + (1 - alpha) w_hat,   w = w_hat at first
///
///     CrMogm combiner(std::make_unique<Mgda>(), {.alpha = 0.9});
///
/// Zhou et al., On the Convergence of Stochastic Multi-Objective Gradient Manipulation and Beyond,
/// NeurIPS 2022.
class CrMogm : public GradientCombiner {
 public:
  struct Options {
    double alpha = 0.9;                                 ///< in [0, 1]
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
  };
  explicit CrMogm(std::unique_ptr<GradientCombiner> of) : CrMogm(std::move(of), Options{}) {}
  CrMogm(std::unique_ptr<GradientCombiner> of, const Options& options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }
  bool keeps_zero_rows() const override { return true; }  // the inner method decides

 private:
  std::unique_ptr<GradientCombiner> of_;
  double alpha_;
  Eigen::VectorXd weights_;  // by task of the registry; NaN: not seen yet
};

}  // namespace mtl
