#pragma once

#include <functional>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/task_weights.hpp"

namespace mtl {

/// Multi-objective meta learning: as Auto-Lambda, but every task's validation loss is an objective
/// of its own, and the weights move where none of them rises.
///     theta' = theta - inner_lr grad sum p_t l_t,   p = softmax(a)
///     h_s = d v_s(theta') / da = -inner_lr (p o c_s - (p . c_s) p),   c_st = grad v_s . grad l_t
///     a <- Adam step along the shortest vector in the convex hull of the h_s
///     .grad = grad sum p_t l_t
/// The products c are exact. A step costs a backward pass for every task of the training batch and
/// one for every task of the validation batch. With one task in the registry there is nothing to
/// weigh: .grad is its gradient. The model is put back, and validation losses v come, as with
/// Auto-Lambda.
/// Ye, Lin, Yue, Guo, Xiao, Zhang, NeurIPS 2021 (arXiv 2102.07121).
class Moml : public Combiner {
 public:
  enum class Scale { none, l2 };  // what the h_s are divided by before they are weighed
  struct Options {
    double lr = 1e-3;         ///< of Adam on a; the authors'
    double inner_lr = 0.1;    ///< of the trial step; the authors' code, LibMTL (the paper's 1e-4)
    Scale scale = Scale::l2;  ///< the authors'; none: as the formula has it, small h_s decide
    /// Losses of a validation batch on the parameters as they are; empty: `another_batch`.
    std::function<TaskLosses()> validation{};
  };
  Moml() : Moml(Options{}) {}
  /// Error: a rate that is not positive.
  explicit Moml(Options options);

  /// Error: no validation; a loss or gradient that is not finite, by its task's name.
  void backward(const TaskLosses& losses, const Parameters& parameters) override;
  /// a, [T]; empty before the first step. Over the tasks of a batch the weights are softmax(a).
  const Eigen::VectorXd& logits() const { return logits_.all(); }
  NamedTensors state_dict() const override { return logits_.state_dict(); }
  void load_state_dict(const NamedTensors& state) override { logits_.load_state_dict(state); }

 private:
  Options options_;
  TaskWeights logits_;
};

}  // namespace mtl
