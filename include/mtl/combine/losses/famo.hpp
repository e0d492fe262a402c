#pragma once

#include <Eigen/Core>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/task_weights.hpp"

namespace mtl {

/// Fast adaptive multitask optimization: all losses are to fall at the same relative rate, learned
/// from one more look at the losses after each step instead of from task gradients.
///     sum p_t log D_t / c,   p = softmax(w),  D = l - min + 1e-8,  c = sum p / D  (a constant)
/// then, with the losses after the optimizer's step, one step of Adam on w along the gradient of
///     sum p_t (log D_t before - log D_t after)
/// Liu, Feng, Stone, Liu, NeurIPS 2023 (arXiv 2306.03792). A task absent from a batch keeps its w.
class Famo : public LossCombiner {
 public:
  struct Options {
    double lr = 0.025;                    ///< of Adam on w (betas .9 .999, eps 1e-8); the paper's
    double weight_decay = 1e-3;           ///< of w: forgets old rates; the paper's gamma
    std::vector<double> min_losses = {};  ///< lower bounds of the losses, one a task; empty: 0
  };
  Famo() : Famo(Options{}) {}
  explicit Famo(Options options);

  Tensor combine(const TaskLosses& losses) override;
  bool wants_losses_after_step() const override { return true; }
  void after_step(const TaskLosses& losses_after) override;
  /// w [T]; empty before the first step.
  const Eigen::VectorXd& logits() const { return logits_.all(); }
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 private:
  Tensor distances(const TaskLosses& losses) const;

  Options options_;
  Tensor min_losses_;              // [T] or undefined
  TaskWeights logits_;             // w
  std::vector<int64_t> tasks_;     // of the step that awaits its second look, ...
  Eigen::VectorXd log_distances_;  // ... and their log D, [P]
};

}  // namespace mtl
