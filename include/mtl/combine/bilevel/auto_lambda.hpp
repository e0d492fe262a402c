#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/combine/bilevel/trial.hpp"
#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/options.hpp"
#include "mtl/combine/solvers/vectors.hpp"
#include "mtl/combine/state/task_adam.hpp"

namespace mtl {

/// Auto-Lambda: weights under which one step on the training batch lowers the validation losses of
/// the primary tasks.
///     theta' = theta - inner_lr grad sum w_t l_t
///     w <- Adam step along  d/dw_t sum_s primary_s v_s(theta') = -inner_lr grad l_t . d,  w >= 0
///     .grad = grad sum w_t l_t                          d = grad sum_s primary_s v_s at theta'
/// The products with d are differences of losses, as in the paper: (l_t(theta + e d) -
/// l_t(theta - e d)) / 2e, e = .01 / |d|. Because the training loss is linear in w, no derivative
/// is taken there: two forward passes do, whatever the number of tasks, and both draw the same
/// dropout. A step costs three backward and three more forward passes.
///
/// Parameters and buffers (`Parameters::buffers`) are put back bit for bit, also where something
/// throws; the further passes leave no trace in running statistics. Validation losses v:
/// `validation`, or the next training batch (`TaskLosses::another_batch`).
/// Liu, James, Davison, Johns, TMLR 2022 (arXiv 2202.03091).
class AutoLambda : public Combiner {
 public:
  static constexpr std::string_view name = "auto_lambda";
  struct Options {
    double lr = 1e-4;               ///< of Adam on w; the paper's for NYUv2 (3e-5 for CityScapes)
    double inner_lr = 0.1;          ///< of the trial step; the paper's is the optimizer's own rate
    double start = 0.1;             ///< first weight of every task; the paper's
    std::vector<double> primary{};  ///< factors of the validation losses, one a task; empty: 1 each
    /// Losses of a validation batch on the parameters as they are; empty: `another_batch`.
    std::function<TaskLosses()> validation{};
    void describe(OptionVisitor& option) {
      option.number("lr", lr, positive);
      option.number("inner_lr", inner_lr, positive);
      option.number("start", start, positive);
      option.numbers("primary", primary, not_negative, "1 each");
    }
  };
  AutoLambda() : AutoLambda(Options{}) {}
  /// Error: a rate or start that is not positive and finite; a negative factor, or none above 0.
  explicit AutoLambda(Options options);

  /// Error: no validation or no same batch. FaultyStep: a loss that is not finite, also on trial,
  /// by its task's name.
  inline void backward(const TaskLosses& losses, const Parameters& parameters) override;
  void set_task_count(int64_t tasks) override {
    require_by_task(primary_, tasks, "factors of primary");
    weights_.set_task_count(tasks);
  }
  /// w, [T]; empty while the number of tasks is not known.
  Eigen::VectorXd weights() const { return weights_.all(); }
  NamedTensors state_dict() const override { return saved_numbers(weights_.parts()); }
  void load_state_dict(const NamedTensors& state) override {
    load_numbers(state, weights_.parts());
  }

 private:
  void learn(const TaskLosses& losses, const Parameters& parameters);

  Options options_;
  Tensor primary_;  // [T] or undefined
  TaskAdam weights_;
};

inline AutoLambda::AutoLambda(Options options)
    : options_(checked(std::move(options), name)),
      primary_(weights_by_task(options_.primary, name)),
      weights_(options_.start, options_.lr) {}

inline void AutoLambda::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;
  const at::AutoGradMode with_graph(true);  // also under NoGradGuard, as backward()
  combine_detail::check_step(losses, parameters);
  set_task_count(losses.task_count);
  learn(losses, parameters);
  const Eigen::VectorXd w = weights_.present(losses);
  if (step_reports()) make_report(losses, parameters, w);
  combine_detail::weighted(losses, w).backward();
}

inline void AutoLambda::learn(const TaskLosses& losses, const Parameters& parameters) {
  using namespace combine_detail;
  Trial trial(losses, parameters);
  trial.move(gradient(losses, weights_.present(losses), trial.parameters(), Graph::keep),
             -options_.inner_lr);
  const TaskLosses validation = validation_losses(options_.validation, losses, name);
  Eigen::VectorXd primary = Eigen::VectorXd::Ones(validation.size());
  for (Eigen::Index s = 0; s < primary.size() && primary_.defined(); ++s)
    primary[s] = options_.primary[static_cast<size_t>(validation.tasks[static_cast<size_t>(s)])];
  if (!(primary.size() > 0 && primary.maxCoeff() > 0)) return;  // this batch teaches nothing
  const auto direction = gradient(validation, primary, trial.parameters(), Graph::free);
  const double length = std::sqrt(product(direction, direction));
  if (!std::isfinite(length))
    throw FaultyStep("auto_lambda: the gradient of the validation losses holds NaN or infinity");
  if (length == 0) return;
  const Eigen::VectorXd slopes = slopes_along(direction, length, losses, trial, name);
  weights_.descend(losses, solvers::times(-options_.inner_lr, slopes), 0);
}

}  // namespace mtl
