#include "mtl/combine/gradient_combiner.hpp"

#include <cmath>

#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/task_gradients.hpp"
#include "mtl/core/error.hpp"

namespace mtl {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr const char* kCountdown = "steps_until_solve";

TaskLosses only_rows(const TaskLosses& step, const std::vector<int64_t>& rows) {
  TaskLosses some;
  for (int64_t row : rows) {
    const auto i = static_cast<size_t>(row);
    some.tasks.push_back(step.tasks[i]);
    some.names.push_back(step.names[i]);
    some.values.push_back(step.values[i]);
    if (i < step.samples.size()) some.samples.push_back(step.samples[i]);
    if (i < step.weights.size()) some.weights.push_back(step.weights[i]);
    if (i < step.kinds.size()) some.kinds.push_back(step.kinds[i]);
  }
  some.task_count = step.task_count;
  some.representation = step.representation;
  return some;
}

VectorXd checked_weights(VectorXd weights, Eigen::Index tasks) {
  if (weights.size() != tasks)
    throw Error("a combiner gave {} weights for {} tasks, expected one a task", weights.size(),
                tasks);
  for (Eigen::Index t = 0; t < tasks; ++t)
    if (!std::isfinite(weights[t]))
      throw Error("a combiner gave task {} of {} the weight {}, expected a finite number", t, tasks,
                  weights[t]);
  return weights;
}

// The numbers of the step's tasks, the mean of the known ones for a task that has none.
VectorXd known_numbers(TaskNumbers& kept, const TaskLosses& step) {
  double sum = 0, count = 0;
  for (const double number : kept.all()) {
    if (std::isnan(number)) continue;
    sum += number;
    count += 1;
  }
  VectorXd numbers = kept.present(step);
  for (double& number : numbers)
    if (std::isnan(number)) number = sum / count;
  return numbers;
}

}  // namespace

GradientCombiner::GradientCombiner(const GradientOptions& options) : gradient_options_(options) {
  if (options.every < 1)
    throw Error("every = {}: the weights are solved anew every n >= 1 steps", options.every);
}

VectorXd GradientCombiner::weights_of(const TaskLosses&, const MatrixXd& gramian) {
  return weights(gramian);
}

VectorXd GradientCombiner::exact_weights(const TaskLosses& rows, const MatrixXd& gramian,
                                         const GramianOf&) {
  return weights_of(rows, gramian);
}

VectorXd GradientCombiner::solve(const MatrixXd& gramian) {
  return solve(unknown_losses(gramian.rows()), gramian);
}

VectorXd GradientCombiner::solve(const TaskLosses& step, const MatrixXd& gramian,
                                 const GramianOf& gramian_of) {
  const Eigen::Index count = gramian.rows();
  if (gramian.cols() != count || step.size() != count)
    throw Error("a Gramian of {} x {} for {} tasks, expected one row and column a task", count,
                gramian.cols(), step.size());
  stationary_ = false;
  // The diagonal: a bad row spoils its products with all others.
  require_finite(gramian.diagonal(), step.names);
  std::vector<int64_t> active;
  for (Eigen::Index t = 0; t < count; ++t)
    if (gramian(t, t) > 0 || keeps_zero_rows()) active.push_back(t);
  if (active.empty()) {
    stationary_ = true;
    return VectorXd::Zero(count);
  }
  if (static_cast<Eigen::Index>(active.size()) == count)
    return checked_weights(
        gramian_of ? exact_weights(step, gramian, gramian_of) : weights_of(step, gramian), count);
  const VectorXd of_active =
      checked_weights(weights_of(only_rows(step, active), gramian(active, active)),
                      static_cast<Eigen::Index>(active.size()));
  VectorXd all = VectorXd::Zero(count);
  all(active) = of_active;
  return all;
}

VectorXd GradientCombiner::head_weights(const VectorXd& weights, const VectorXd& squares) const {
  if (heads() == HeadGradient::plain || stationary_) return VectorXd::Ones(weights.size());
  return (squares.array() > 0).select(weights, 1.0);
}

GradientCombiner::StepGuard GradientCombiner::begin(const TaskLosses& losses,
                                                    const Parameters& parameters) {
  require_finite_losses(losses, "");
  engine_.begin(losses, parameters, gradient_options_.at);
  return StepGuard{engine_};
}

void GradientCombiner::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;  // no task has a label in this batch: nothing to learn
  const auto guard = begin(losses, parameters);
  const bool reports = step_reports(), solves = steps_until_solve_ == 0;
  VectorXd chosen, of_heads;
  if (solves) {
    const MatrixXd& gramian = engine_.gramian();
    chosen = solve(losses, gramian, [this](const MatrixXd& combinations) {
      return engine_.gramian_of(combinations);
    });
    of_heads = head_weights(chosen, gramian.diagonal());
    if (reports) make_report(losses, gramian, chosen, stationary_);
  } else {
    chosen = known_numbers(kept_weights_, losses);
    of_heads = known_numbers(kept_heads_, losses);
    // The engine is not asked: with a Gramian it would sum in another order.
    if (reports) make_report(losses, {.shared = engine_.columns()}, chosen);
  }
  engine_.write_gradients(chosen, of_heads);
  if (solves && gradient_options_.every > 1) {
    kept_weights_.keep(losses, chosen);
    kept_heads_.keep(losses, of_heads);
  }
  steps_until_solve_ = solves ? gradient_options_.every - 1 : steps_until_solve_ - 1;
}

void GradientCombiner::set_task_count(int64_t tasks) {
  if (gradient_options_.every == 1) return;
  kept_weights_.set_task_count(tasks);
  kept_heads_.set_task_count(tasks);
}

NamedTensors GradientCombiner::saved(std::vector<const TaskNumbers*> numbers) const {
  if (gradient_options_.every == 1) return saved_numbers(numbers);
  numbers.insert(numbers.end(), {&kept_weights_, &kept_heads_});
  NamedTensors state = saved_numbers(numbers);
  state.insert(kCountdown, torch::tensor(steps_until_solve_, torch::kLong));
  return state;
}

void GradientCombiner::load(const NamedTensors& state, std::vector<TaskNumbers*> numbers,
                            std::vector<std::string> others) {
  if (gradient_options_.every == 1) return load_numbers(state, numbers, others);
  numbers.insert(numbers.end(), {&kept_weights_, &kept_heads_});
  others.emplace_back(kCountdown);
  const int64_t countdown = state_count(state, kCountdown);
  if (countdown >= gradient_options_.every)
    throw Error("the state has {} = {}, but the weights are solved every {} steps", kCountdown,
                countdown, gradient_options_.every);
  load_numbers(state, numbers, others);
  steps_until_solve_ = countdown;
}

}  // namespace mtl
