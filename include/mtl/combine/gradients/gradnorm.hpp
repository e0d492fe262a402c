#pragma once

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/task_count.hpp"

namespace mtl {

/// Learns weights under which all tasks train at like speed: the weighted gradient norms are drawn
/// to their mean times the task's relative inverse training rate.
///     w = T softmax(logits),   r_t = (l_t / l_t(0)) / mean,
///     logits minimise  sum_t | w_t |g_t| - mean(w |g|) r_t^alpha |   (the target held constant)
/// The logits join the optimizer as parameters of the combiner. Only the norms are computed.
/// Chen et al., ICML 2018 (arXiv 1711.02257).
class GradNorm : public GradientCombiner {
 public:
  struct Options {
    double alpha = 1.5;                                 ///< how hard slow tasks are helped, >= 0
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
  };
  GradNorm() : GradNorm(TaskCount{}, Options{}) {}
  explicit GradNorm(const Options& options) : GradNorm(TaskCount{}, options) {}
  /// Without tasks their number is found at the first step.
  explicit GradNorm(TaskCount tasks) : GradNorm(tasks, Options{}) {}
  GradNorm(TaskCount tasks, const Options& options);

  /// GradNorm's own loss of T tasks, all vectors [T].
  struct Balance {
    Eigen::VectorXd weights;
    double loss = 0;
    Eigen::VectorXd gradient;  // of the loss with respect to the logits
  };
  static Balance balance(const Eigen::VectorXd& logits, const Eigen::VectorXd& norms,
                         const Eigen::VectorXd& losses, const Eigen::VectorXd& first_losses,
                         double alpha);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;
  /// Error: a loss that is not positive.
  void backward(const TaskLosses& losses, const Parameters& parameters) override;
  std::vector<Tensor> parameters() override { return {logits_}; }
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }
  bool keeps_zero_rows() const override { return true; }

 private:
  void size_logits();

  double alpha_;
  Tensor logits_;          // [T], double, on the CPU
  Eigen::VectorXd first_;  // losses of each task's first step; 0: not seen yet
};

}  // namespace mtl
