#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// Stochastic direction-oriented multi-objective gradient: MGDA's weights, drawn towards a
/// preferred direction, from a cross Gramian A = J_1 J_2' of two independent batches; a third gives
/// the update.
///     n_iter times, with momentum:  w <- project on the simplex: w - lr A (w + lambda p) / scale^2
///     weights = (w + lambda p) / (1 + lambda),   scale = mean sqrt(A_tt)
/// Three batches a step: the trainer's and two by `TaskLosses::another_batch`. `aggregate` and
/// `weights` take the matrix they are given for A.
/// Xiao, Ban, Ji, NeurIPS 2023 (arXiv 2305.18409).
class SdmGrad : public GradientCombiner {
 public:
  struct Options {
    double lr = 10;                       ///< > 0
    double momentum = 0.5;                ///< in [0, 1)
    int64_t n_iter = 20;                  ///< >= 1
    double lambda = 0.3;                  ///< >= 0; 0 is MGDA
    std::vector<double> preference = {};  ///< p, by task of the registry; empty: 1/T each
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
  };
  SdmGrad() : SdmGrad(Options{}) {}
  explicit SdmGrad(const Options& options);

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
  Eigen::VectorXd weights_;  // w, by task of the registry
};

}  // namespace mtl
