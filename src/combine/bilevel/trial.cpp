#include "mtl/combine/bilevel/trial.hpp"

#include <ATen/Context.h>
#include <torch/autograd.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "../engine/capture.hpp"
#include "../engine/leaves.hpp"
#include "../loss_lists.hpp"
#include "mtl/combine/engine/rows.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/scalars.hpp"
#include "mtl/core/random.hpp"

namespace mtl::combine_detail {

using Eigen::VectorXd;

namespace {

/// Whether several of its elements are one place in memory (expand), so that none can be written.
bool lies_upon_itself(const Tensor& tensor) {
  if (tensor.layout() != torch::kStrided) return false;
  for (int64_t d = 0; d < tensor.dim(); ++d)
    if (tensor.size(d) > 1 && tensor.stride(d) == 0) return true;
  return false;
}

bool has_graph(const TaskLosses& losses) {
  return std::any_of(losses.values.begin(), losses.values.end(),
                     [](const Tensor& loss) { return loss.requires_grad(); });
}

/// Error: none of the losses has a graph, though one is of a task that learns in the step.
void require_graph(const TaskLosses& losses, const TaskLosses& step, std::string_view combiner,
                   std::string_view whose) {
  if (has_graph(losses)) return;
  for (size_t i = 0; i < step.tasks.size(); ++i)
    if (step.values[i].requires_grad() &&
        std::find(losses.tasks.begin(), losses.tasks.end(), step.tasks[i]) != losses.tasks.end())
      throw Error(
          "{} learns from the gradients of the {} losses, but that of task \"{}\" has no graph; "
          "compute them outside of NoGradGuard",
          combiner, whose, step.names[i]);
}

}  // namespace

Trial::Trial(const TaskLosses& losses, const Parameters& parameters) {
  std::unordered_set<const at::TensorImpl*> seen;
  const auto add = [&](const std::vector<Tensor>& list) {
    for (const Tensor& parameter : list)
      if (parameter.requires_grad() && seen.insert(parameter.unsafeGetTensorImpl()).second)
        parameters_.push_back(parameter);
  };
  add(parameters.shared);
  for (const auto& list : parameters.by_task) add(list);
  if (parameters.by_task.empty()) add(engine::leaves(losses.values, {}));
  for (const Tensor& parameter : parameters_)
    if (lies_upon_itself(parameter))
      throw Error(
          "a parameter of shape {} is an expanded tensor, whose elements share their memory, so "
          "that it cannot be tried at other values; clone it",
          shape_text(parameter));
  tensors_ = parameters_;
  // What is expanded no forward pass changes.
  for (const Tensor& buffer : parameters.buffers)
    if (buffer.defined() && !lies_upon_itself(buffer)) tensors_.push_back(buffer);
  const torch::NoGradGuard no_grad;
  values_.reserve(tensors_.size());
  for (const Tensor& tensor : tensors_) values_.push_back(tensor.detach().clone());
}

// variable_data() shares the memory but not the version by which autograd tells a change.
void Trial::move(const std::vector<Tensor>& direction, double factor) {
  const torch::NoGradGuard no_grad;
  for (size_t p = 0; p < parameters_.size(); ++p)
    if (direction[p].defined()) parameters_[p].variable_data().add_(direction[p], factor);
}

void Trial::restore() {
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < tensors_.size(); ++i) tensors_[i].variable_data().copy_(values_[i]);
}

void Trial::accumulate(const std::vector<Tensor>& direction) const {
  for (size_t p = 0; p < parameters_.size(); ++p) engine::accumulate(parameters_[p], direction[p]);
}

void check_step(const TaskLosses& losses, const Parameters& parameters) {
  check_losses(losses);
  check_parameters(parameters, losses.task_count);
  finite_values(losses, "");
}

TaskLosses again(const TaskLosses& step, std::string_view combiner) {
  if (!step.same_batch) {
    throw Error(
        "{} looks at a batch on several parameters, but the losses are of one only: give the "
        "losses same_batch",
        combiner);
  }
  TaskLosses losses = step.same_batch();
  if (losses.tasks != step.tasks) {
    throw Error("{}: the same batch has labels of {} tasks, and had of {}", combiner, losses.size(),
                step.size());
  }
  if (torch::GradMode::is_enabled()) require_graph(losses, step, combiner, "same batch's");
  return losses;
}

TaskLosses validation_losses(const std::function<TaskLosses()>& source, const TaskLosses& step,
                             std::string_view combiner) {
  if (!source && !step.another_batch) {
    throw Error(
        "{} learns from validation losses, but there are none: give its option validation, or the "
        "losses another_batch",
        combiner);
  }
  TaskLosses losses = source ? source() : step.another_batch();
  if (losses.task_count != step.task_count) {
    throw Error("{}: the validation losses are of {} tasks, the training losses of {}", combiner,
                losses.task_count, step.task_count);
  }
  check_lists(losses);
  if (losses.size() == 0) return losses;
  finite_values(losses, "in validation");
  require_graph(losses, step, combiner, "validation");
  if (!has_graph(losses)) {  // of tasks that learn nothing: as without labels
    losses = TaskLosses();
    losses.task_count = step.task_count;
  }
  return losses;
}

VectorXd finite_values(const TaskLosses& losses, std::string_view where) {
  const VectorXd values = read_together(losses.values);
  for (Eigen::Index t = 0; t < values.size(); ++t) {
    if (std::isfinite(values[t])) continue;
    const std::string& name = losses.names[static_cast<size_t>(t)];
    if (where.empty())
      throw FaultyStep("task \"{}\": its loss is {}, expected a finite number", name, values[t]);
    throw FaultyStep("task \"{}\": its loss {} is {}; a smaller inner_lr may help", name, where,
                     values[t]);
  }
  return values;
}

Tensor weighted(const TaskLosses& losses, const VectorXd& weights) {
  const Tensor values = stacked(losses.values);
  return values.dot(beside(
      torch::tensor(std::vector<double>(weights.begin(), weights.end()), torch::kDouble), values));
}

std::vector<Tensor> gradient(const TaskLosses& losses, const VectorXd& weights,
                             const std::vector<Tensor>& parameters, Graph graph) {
  return torch::autograd::grad({weighted(losses, weights)}, parameters, {}, graph == Graph::keep,
                               /*create_graph=*/false, /*allow_unused=*/true);
}

VectorXd slopes_along(const std::vector<Tensor>& direction, double length, const TaskLosses& losses,
                      Trial& trial, std::string_view combiner) {
  const torch::NoGradGuard no_grad;
  const double reach = 0.01 / length;
  torch::Generator generator = at::globalContext().defaultGenerator(losses.values.front().device());
  const Tensor draws = generator_state(generator);
  const auto values_at = [&](double factor) {
    trial.restore();
    trial.move(direction, factor);
    return finite_values(again(losses, combiner), "at the trial parameters");
  };
  const VectorXd ahead = values_at(reach);
  set_generator_state(generator, draws);
  return (ahead - values_at(-reach)) / (2 * reach);
}

double product(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  Rows row(a.size());
  for (size_t p = 0; p < a.size(); ++p) row[p].push_back(a[p]);
  return products(row, b)[0];
}

VectorXd to_unit_length(const VectorXd& squared_lengths) {
  VectorXd factors = VectorXd::Ones(squared_lengths.size());
  for (Eigen::Index i = 0; i < factors.size(); ++i)
    if (squared_lengths[i] > 0) factors[i] = 1 / std::sqrt(squared_lengths[i]);
  return factors;
}

}  // namespace mtl::combine_detail
