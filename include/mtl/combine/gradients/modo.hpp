#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// Multi-objective gradient with double sampling: weights move by a cross Gramian of two
/// independent batches, which is unbiased where G of one batch is not; a third batch gives the
/// update.
///     w <- project on the simplex: w - gamma (J_1 J_2' w + rho w)
/// Three batches a step: the trainer's and two by `TaskLosses::another_batch`. `aggregate` and
/// `weights` take the matrix they are given for J_1 J_2'.
/// Chen, Fernando, Ying, Chen, NeurIPS 2023 (arXiv 2305.20057).
class MoDo : public GradientCombiner {
 public:
  struct Options {
    double gamma = 0.1;                                 ///< step of the weights, > 0
    double rho = 0.1;                                   ///< >= 0
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
  };
  MoDo() : MoDo(Options{}) {}
  explicit MoDo(const Options& options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& cross_gramian) override;
  /// Error: no further batches, or batches with different tasks.
  void backward(const TaskLosses& losses, const Parameters& parameters) override;
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }
  bool keeps_zero_rows() const override { return true; }

 private:
  Options options_;
  Eigen::VectorXd weights_;  // by task of the registry
};

}  // namespace mtl
