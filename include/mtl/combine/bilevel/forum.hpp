#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/combine/bilevel/trial.hpp"
#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/options.hpp"
#include "mtl/combine/solvers/constrained.hpp"
#include "mtl/combine/solvers/simplex.hpp"
#include "mtl/combine/solvers/vectors.hpp"
#include "mtl/combine/state/task_adam.hpp"
#include "mtl/combine/task_gradients.hpp"

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
/// A task absent from the validation batch keeps its b, the present ones share what is theirs; when
/// no task has a label there, there is no objective and no step. With one task in the registry
/// there is nothing to weigh: .grad is its gradient. The model is put back, and validation losses v
/// come, as with Auto-Lambda.
/// Ye, Lin, Cao, Zhang, Tsang, ECAI 2024 (arXiv 2401.09257).
class Forum : public Combiner {
 public:
  static constexpr std::string_view name = "forum";
  enum class Scale { none, l2 };  // what the grad v_s are divided by
  struct Options {
    double lr = 1e-3;         ///< of Adam on a; the authors'
    double inner_lr = 0.1;    ///< of the descent to theta~; the authors' (QM9: 0.01)
    int64_t inner_steps = 5;  ///< the authors'
    double rho = 0.1;         ///< how fast q has to fall; the authors' (LibMTL: FORUM_phi)
    Scale scale = Scale::l2;  ///< the authors': steps then have a length near 1 for any losses
    /// Losses of a validation batch on the parameters as they are; empty: `another_batch`.
    std::function<TaskLosses()> validation{};
    void describe(OptionVisitor& option) {
      option.number("lr", lr, positive);
      option.number("inner_lr", inner_lr, positive);
      option.count("inner_steps", inner_steps, 1);
      option.number("rho", rho, not_negative);
      option.choice("scale", scale, {{"none", Scale::none}, {"l2", Scale::l2}});
    }
  };
  Forum() : Forum(Options{}) {}
  /// Error: a rate that is not positive and finite, no inner step, a rho that is negative or not
  /// finite.
  explicit Forum(Options options);

  /// Error: no validation or no same batch. FaultyStep: a loss or gradient that is not finite, by
  /// its task's name.
  inline void backward(const TaskLosses& losses, const Parameters& parameters) override;
  void end_epoch() override { ++epoch_; }
  void set_task_count(int64_t tasks) override {
    logits_.set_task_count(tasks);
    shares_.set_task_count(tasks);
  }
  /// a, [T]; empty while the number of tasks is not known. Over the tasks of a batch the weights
  /// are softmax(a).
  Eigen::VectorXd logits() const { return logits_.all(); }
  inline NamedTensors state_dict() const override;
  inline void load_state_dict(const NamedTensors& state) override;

 private:
  /// How much f has fallen where the inner descent ends, by task, [P].
  Eigen::VectorXd gained(const TaskLosses& losses, const Eigen::VectorXd& p,
                         const std::vector<Tensor>& first, combine_detail::Trial& trial) const;
  Eigen::VectorXd smoothed(const TaskLosses& validation, const Eigen::VectorXd& shares);

  Options options_;
  TaskAdam logits_;
  TaskNumbers shares_{"shares", 1};  // T b
  int64_t epoch_ = 1;
};

inline Forum::Forum(Options options)
    : options_(checked(std::move(options), name)), logits_(0, options_.lr) {}

inline void Forum::backward(const TaskLosses& losses, const Parameters& parameters) {
  using namespace combine_detail;
  if (losses.size() == 0) return;
  const at::AutoGradMode with_graph(true);  // also under NoGradGuard, as backward()
  check_step(losses, parameters);
  if (losses.task_count == 1) return losses.values.front().backward();
  Trial trial(losses, parameters);
  const Eigen::VectorXd p = solvers::softmax(logits_.present(losses));
  if (step_reports()) make_report(losses, parameters, p);
  const TaskLosses validation = validation_losses(options_.validation, losses, name);
  if (validation.size() == 0) return;
  const Rows upper = task_gradients(validation, trial.parameters());

  // grad q: its part for theta, and for a by what the inner descent has gained.
  const auto lower = gradient(losses, p, trial.parameters(), Graph::free);
  const Eigen::VectorXd of_logits = solvers::through_softmax(p, gained(losses, p, lower, trial));
  const double squared = product(lower, lower) + solvers::dot(of_logits, of_logits);
  if (!std::isfinite(squared))
    throw FaultyStep("forum: the gradient of the training losses holds NaN or infinity");

  Eigen::MatrixXd between = gramian(upper);
  Eigen::VectorXd scale = Eigen::VectorXd::Ones(between.rows());
  if (options_.scale == Scale::l2) scale = to_unit_length(solvers::diagonal(between));
  between = solvers::scaled(between, scale);
  const Eigen::VectorXd along = solvers::times(scale, products(upper, lower));
  const Eigen::VectorXd shares = smoothed(
      validation,
      solvers::constrained_min_norm(between, along, squared, options_.rho * squared).weights);
  const double nu =
      squared > 0 ? std::max(0.0, options_.rho - solvers::dot(shares, along) / squared) : 0.0;

  logits_.descend(losses, solvers::times(nu, of_logits));
  std::vector<Tensor> direction = weighted_sum(upper, solvers::times(scale, shares));
  for (size_t i = 0; i < direction.size(); ++i) {
    if (!lower[i].defined()) continue;
    direction[i] = direction[i].defined() ? direction[i].add(lower[i], nu) : lower[i] * nu;
  }
  trial.accumulate(direction);
}

inline Eigen::VectorXd Forum::gained(const TaskLosses& losses, const Eigen::VectorXd& p,
                                     const std::vector<Tensor>& first,
                                     combine_detail::Trial& trial) const {
  using namespace combine_detail;
  const Eigen::VectorXd before = finite_values(losses, "");
  trial.restore();
  trial.move(first, -options_.inner_lr);
  for (int64_t k = 1; k < options_.inner_steps; ++k) {
    trial.move(gradient(again(losses, name), p, trial.parameters(), Graph::free),
               -options_.inner_lr);
  }
  const at::NoGradGuard no_grad;
  return solvers::sum(before, -1, finite_values(again(losses, name), "after the inner steps"));
}

inline Eigen::VectorXd Forum::smoothed(const TaskLosses& validation,
                                       const Eigen::VectorXd& shares) {
  // Of absent tasks the shares stay; the present ones share what is theirs.
  const Eigen::VectorXd kept = shares_.present(validation);
  const double part = kept.sum();
  if (!(part > 0)) return shares;
  const double rate = std::pow(static_cast<double>(epoch_), -0.75);
  const Eigen::VectorXd before = solvers::divided(kept, part);
  const Eigen::VectorXd now = solvers::sum(before, rate, solvers::sum(shares, -1, before));
  shares_.keep(validation, solvers::times(part, now));
  return now;
}

inline NamedTensors Forum::state_dict() const {
  auto numbers = logits_.parts();
  numbers.push_back(&shares_);
  NamedTensors state = saved_numbers(numbers);
  state.insert("epoch", torch::tensor(epoch_, torch::kLong));
  return state;
}

inline void Forum::load_state_dict(const NamedTensors& state) {
  const int64_t epoch = state_count(state, "epoch");
  auto numbers = logits_.parts();
  numbers.push_back(&shares_);
  load_numbers(state, numbers, {"epoch"});
  epoch_ = epoch;
}

}  // namespace mtl
