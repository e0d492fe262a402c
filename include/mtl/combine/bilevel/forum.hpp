#pragma once

#include <functional>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/task_weights.hpp"

namespace mtl {

/// FORUM: a first-order multi-gradient step on the validation losses under the constraint that the
/// parameters minimise the weighted training loss. The weights and the parameters move together.
///     f(a, theta) = sum p_t l_t,  p = softmax(a);   theta~: inner_steps of descent from theta
///     q = f(a, theta) - f(a, theta~),   its gradient taken with theta~ fixed
///     (d_a, d_theta) = sum_s b_s grad v_s + nu grad q
///     b, nu:  min |d|^2 / 2 - nu rho |grad q|^2   over b in the simplex, nu >= 0
/// so that -d lowers every v_s as far as the constraint lets it, and q at least at the rate
/// rho |grad q|^2. b is smoothed over the steps, b <- b + (b_new - b) / epoch^(3/4), and
/// nu = max(0, sum b_s (rho - grad q . grad v_s / |grad q|^2)) follows from it. a moves by Adam
/// along d_a; .grad = d_theta. No second derivatives; a step costs inner_steps backward passes and
/// one for every task of the validation batch.
///
/// A task absent from the validation batch keeps its b, the present ones share what is theirs. With
/// one task in the registry there is nothing to weigh: .grad is its gradient. The model is put
/// back, and validation losses v come, as with Auto-Lambda.
/// Ye, Lin, Cao, Zhang, Tsang, ECAI 2024 (arXiv 2401.09257).
class Forum : public Combiner {
 public:
  enum class Scale { none, l2 };  // what the grad v_s are divided by
  struct Options {
    double lr = 1e-3;         ///< of Adam on a; the authors'
    double inner_lr = 0.1;    ///< of the descent to theta~; the authors' (QM9: 0.01)
    int64_t inner_steps = 5;  ///< the authors'
    double rho = 0.1;         ///< how fast q has to fall; the authors' (LibMTL: FORUM_phi)
    Scale scale = Scale::l2;  ///< the authors': steps then have a length near 1 for any losses
    /// Losses of a validation batch on the parameters as they are; empty: `another_batch`.
    std::function<TaskLosses()> validation{};
  };
  Forum() : Forum(Options{}) {}
  /// Error: a rate that is not positive, no inner step, a negative rho.
  explicit Forum(Options options);

  /// Error: no validation or no same batch; a loss or gradient that is not finite, by its task's
  /// name.
  void backward(const TaskLosses& losses, const Parameters& parameters) override;
  void end_epoch() override { ++epoch_; }
  /// a, [T]; empty before the first step. Over the tasks of a batch the weights are softmax(a).
  const Eigen::VectorXd& logits() const { return logits_.all(); }
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 private:
  Eigen::VectorXd smoothed(const TaskLosses& validation, const Eigen::VectorXd& shares);

  Options options_;
  TaskWeights logits_;
  Eigen::VectorXd shares_;  // b by task of the registry, sum 1
  int64_t epoch_ = 1;
};

}  // namespace mtl
