#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/options.hpp"
#include "mtl/combine/solvers/simplex.hpp"
#include "mtl/combine/state/task_adam.hpp"

namespace mtl {

/// Fast adaptive multitask optimization: all losses are to fall at the same relative rate, learned
/// from one more look at the losses after each step instead of from task gradients.
///     sum p_t log D_t / c,   p = softmax(w),  D = l - min + 1e-8,  c = sum p / D  (a constant)
/// then, with the losses after the optimizer's step, one step of Adam on w along the gradient of
///     sum p_t (log D_t before - log D_t after)
/// Liu, Feng, Stone, Liu, NeurIPS 2023 (arXiv 2306.03792). A task absent from a batch keeps its w.
class Famo : public LossCombiner {
 public:
  static constexpr std::string_view name = "famo";
  struct Options {
    double lr = 0.025;                    ///< of Adam on w (betas .9 .999, eps 1e-8); the paper's
    double weight_decay = 1e-3;           ///< of w: forgets old rates; the paper's gamma
    std::vector<double> min_losses = {};  ///< lower bounds of the losses, one a task; empty: 0
    void describe(OptionVisitor& option) {
      option.number("lr", lr, positive);
      option.number("weight_decay", weight_decay, not_negative);
      option.numbers("min_losses", min_losses, any_number, "0 each");
    }
  };
  Famo() : Famo(Options{}) {}
  /// Error: a rate that is not positive and finite; a decay that is negative or not finite; a bound
  /// that is not finite.
  explicit Famo(const Options& options)
      : options_(checked(options, name)),
        min_losses_(numbers_by_task(options.min_losses)),
        logits_(0, options.lr) {}

  /// FaultyStep: a loss that is not finite or below its bound.
  inline Tensor combine(const TaskLosses& losses) override;
  /// True while a step awaits its second look: not for a batch in which nobody has a label.
  bool wants_losses_after_step() const override { return !tasks_.empty(); }
  /// Nothing happens without a step and without losses. Error: losses of other tasks than those of
  /// the step. FaultyStep: as in `combine`; w stays as it is.
  inline void after_step(const TaskLosses& losses_after) override;
  void set_task_count(int64_t tasks) override {
    require_by_task(min_losses_, tasks, what);
    logits_.set_task_count(tasks);
  }
  /// w [T]; empty while the number of tasks is not known.
  Eigen::VectorXd logits() const { return logits_.all(); }
  NamedTensors state_dict() const override { return saved_numbers(logits_.parts()); }
  void load_state_dict(const NamedTensors& state) override {
    load_numbers(state, logits_.parts());
    tasks_.clear();
  }

 private:
  Tensor distances(const TaskLosses& losses) const;
  Eigen::VectorXd logarithms(const Tensor& distances, const TaskLosses& losses) const;

  static constexpr std::string_view what = "min_losses";

  Options options_;
  Tensor min_losses_;              // [T] or undefined
  TaskAdam logits_;                // w
  std::vector<int64_t> tasks_;     // of the step that awaits its second look, ...
  Eigen::VectorXd log_distances_;  // ... and their log D, [P]
};

inline Tensor Famo::distances(const TaskLosses& losses) const {
  const Tensor values = stacked(losses.values);
  if (!min_losses_.defined()) return values + 1e-8;
  return values - of_step(min_losses_, losses, what) + 1e-8;
}

/// log D as numbers, [P].
inline Eigen::VectorXd Famo::logarithms(const Tensor& distances, const TaskLosses& losses) const {
  const Tensor numbers = distances.detach().to(torch::kCPU, torch::kDouble).contiguous();
  Eigen::VectorXd logarithms(losses.size());
  for (size_t i = 0; i < losses.values.size(); ++i) {
    const double distance = numbers.data_ptr<double>()[i];
    if (!(distance > 0 && std::isfinite(distance))) {
      const double value = losses.values[i].item<double>();
      require_loss(value, losses, i, name);
      const auto& bounds = options_.min_losses;
      const double bound = bounds.empty() ? 0 : bounds[static_cast<size_t>(losses.tasks[i])];
      throw FaultyStep(
          "task \"{}\": its loss is {}, below the {} that famo takes for its lower bound; give a "
          "lower one in min_losses, {}",
          losses.names[i], value, bound, other_methods);
    }
    logarithms[static_cast<Eigen::Index>(i)] = std::log(distance);
  }
  return logarithms;
}

inline Tensor Famo::combine(const TaskLosses& losses) {
  tasks_.clear();
  const Tensor distance = distances(losses);
  const Eigen::VectorXd log_distance = logarithms(distance, losses);
  const Eigen::VectorXd p = solvers::softmax(logits_.present(losses));
  double c = 0;
  for (Eigen::Index i = 0; i < p.size(); ++i) c += p[i] * std::exp(-log_distance[i]);
  std::vector<double> weights(p.begin(), p.end());
  for (double& weight : weights) weight /= c;
  tasks_ = losses.tasks;
  log_distances_ = log_distance;
  return distance.log().dot(like_losses(torch::tensor(weights, torch::kDouble), losses));
}

inline void Famo::after_step(const TaskLosses& losses_after) {
  if (tasks_.empty() && losses_after.size() == 0) return;
  if (tasks_.empty()) throw Error("Famo: after_step() without a step before it");
  if (losses_after.tasks != tasks_) {
    throw Error(
        "Famo: after_step() has losses of {} tasks, the step before it had {}; it takes the same "
        "batch again",
        losses_after.size(), tasks_.size());
  }
  tasks_.clear();
  const at::NoGradGuard no_grad;
  const Eigen::VectorXd log_after = logarithms(distances(losses_after), losses_after);
  const Eigen::VectorXd w = logits_.present(losses_after);
  logits_.descend(losses_after,
                  solvers::through_softmax(solvers::softmax(w), log_distances_ - log_after) +
                      options_.weight_decay * w);
}

}  // namespace mtl
