#pragma once

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/gradients/row_state.hpp"

namespace mtl {

/// Multi-objective gradient with correction: weights and direction from running means of the task
/// gradients, which removes the bias of single batches.
///     y <- y + beta k^-beta_sigma (l g/|g| - y),   w <- softmax(w - gamma k^-gamma_sigma (YY' +
///     rho I) w),   d = Y'w
/// at step k = 1, 2, ..., rows at the length of their losses as in the authors' code (`aggregate`
/// knows no losses and takes 1). Fernando et al., ICLR 2023 (arXiv 2210.12624).
class MoCo : public DirectionCombiner {
 public:
  struct Options {
    double beta = 0.5, beta_sigma = 0.5;                ///< of the running mean
    double gamma = 0.1, gamma_sigma = 0.5;              ///< of the weights
    double rho = 0;                                     ///< >= 0
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
  };
  MoCo() : MoCo(Options{}) {}
  explicit MoCo(const Options& options);

  Direction direction(const Rows& rows) override;
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 private:
  Options options_;
  RowState mean_;                    // y
  Eigen::VectorXd weights_, steps_;  // by task of the registry
};

}  // namespace mtl
