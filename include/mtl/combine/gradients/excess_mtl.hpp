#pragma once

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/gradients/row_state.hpp"

namespace mtl {

/// Robust learning with excess risks: tasks that are still far from their optimum, as judged by
/// their gradient and not by their (perhaps noisy) loss, gain weight.
///     h_t += g_t^2,   excess_t = sum g_t^2 / sqrt(h_t + 1e-7),   relative to its first value,
///     w <- softmax(log w + step_size excess)
/// He et al., ICML 2024 (arXiv 2402.02009).
class ExcessMtl : public DirectionCombiner {
 public:
  struct Options {
    double step_size = 1e-2;                            ///< > 0; LibMTL's; TorchJD takes 1
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
  };
  ExcessMtl() : ExcessMtl(Options{}) {}
  explicit ExcessMtl(const Options& options);

  Direction direction(const Rows& rows) override;
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 private:
  double step_size_;
  RowState squares_;                   // h
  Eigen::VectorXd weights_, initial_;  // by task of the registry; initial 0: not seen yet
};

}  // namespace mtl
