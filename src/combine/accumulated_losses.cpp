#include "mtl/combine/accumulated_losses.hpp"

#include <torch/autograd.h>

#include <cmath>
#include <unordered_set>
#include <utility>

#include "engine/capture.hpp"
#include "loss_lists.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/parameters.hpp"
#include "mtl/core/error.hpp"
#include "new_node.hpp"

namespace mtl {
namespace {

/// The node of a number whose gradient with respect to some parameters is known.
struct KnownGradient : torch::autograd::Node {
  std::vector<Tensor> gradient;  // by next edge

  torch::autograd::variable_list apply(torch::autograd::variable_list&& outer) override {
    torch::autograd::variable_list inner(gradient.size());
    for (size_t p = 0; outer.front().defined() && p < gradient.size(); ++p)
      inner[p] = gradient[p] * outer.front();
    return inner;
  }
};

/// `value` as a function of `parameters`.
Tensor with_gradient(Tensor value, const std::vector<Tensor>& parameters,
                     std::vector<Tensor> gradient) {
  const NewNode<KnownGradient> node(parameters);
  node->gradient = std::move(gradient);
  node.gives(value);
  return value;
}

/// Adds to `row` the gradient of `loss` times `weight`.
void add_gradient(const Tensor& loss, double weight, const std::vector<Tensor>& parameters,
                  bool last, std::vector<Tensor>& row) {
  const engine::WithoutHooks once(parameters);
  const auto found = torch::autograd::grad({loss}, parameters, {}, /*retain_graph=*/!last,
                                           /*create_graph=*/false, /*allow_unused=*/true);
  const torch::NoGradGuard no_grad;
  row.resize(parameters.size());
  for (size_t p = 0; p < found.size(); ++p) {
    if (!found[p].defined()) continue;
    // Anew, since an autograd graph may hand the same memory to two parameters; in a type that does
    // not lose a part among many.
    if (!row[p].defined())
      row[p] = found[p].to(at::promote_types(found[p].scalar_type(), at::kFloat)) * weight;
    else if (row[p].is_sparse() && !found[p].is_sparse())  // a table so far, and now a matrix
      row[p] = found[p].to(row[p].scalar_type()) * weight + row[p];
    else
      row[p].add_(found[p], weight);
  }
}

}  // namespace

AccumulatedLosses::AccumulatedLosses(const std::vector<Tensor>& parameters,
                                     const std::vector<Tensor>& shared) {
  check_parameters(parameters, "AccumulatedLosses");
  check_parameters(shared, "AccumulatedLosses' shared ones");
  std::unordered_set<const at::TensorImpl*> seen, of_all_tasks;
  for (const Tensor& parameter : shared) of_all_tasks.insert(parameter.unsafeGetTensorImpl());
  for (const Tensor& parameter : parameters) {
    const auto* key = parameter.unsafeGetTensorImpl();
    if (!parameter.requires_grad() || !seen.insert(key).second) continue;
    parameters_.push_back(parameter);
    is_shared_.push_back(of_all_tasks.contains(key));
  }
}

void AccumulatedLosses::add(const TaskLosses& part) {
  check_part(part);
  if (!tasks_.empty() && part.task_count != task_count_)
    throw Error("a part of a batch is of {} tasks, those before it of {}", part.task_count,
                task_count_);
  task_count_ = part.task_count;
  std::vector<Tensor> scalars = part.values;
  for (const Tensor& weight : part.weights)
    if (weight.defined()) scalars.push_back(weight);
  const Eigen::VectorXd numbers = read_together(scalars);
  for (size_t i = 0; i < part.values.size(); ++i)
    require_loss(numbers[static_cast<Eigen::Index>(i)], part, i, "");
  Eigen::Index next_weight = part.size();
  for (size_t i = 0; i < part.values.size(); ++i) {
    Task& task = tasks_[part.tasks[i]];
    const bool weighted = i < part.weights.size() && part.weights[i].defined();
    const double weight = weighted ? numbers[next_weight++] : static_cast<double>(part.samples[i]);
    task.name = part.names[i];
    task.kind = part.kind(i);
    task.like = part.values[i].detach();
    task.sum += weight * numbers[static_cast<Eigen::Index>(i)];
    task.weight += weight;
    task.samples += part.samples[i];
    task.weighted = task.weighted || weighted;
    if (task.unit == 0 && weight > 0) task.unit = std::exp2(std::ilogb(weight));
    if (!part.values[i].requires_grad() || parameters_.empty()) continue;
    try {
      add_gradient(part.values[i], task.unit == 0 ? 0 : weight / task.unit, parameters_,
                   i + 1 == part.values.size(), task.row);
    } catch (...) {
      begin_anew();  // half a part would be counted as a whole one
      throw;
    }
  }
}

void AccumulatedLosses::clip(double max_norm) {
  if (!(max_norm > 0)) throw Error("clip: found max_norm {}, expected one above 0", max_norm);
  const torch::NoGradGuard no_grad;
  for (auto& [index, task] : tasks_) {
    std::vector<Tensor> parts, norms;
    for (size_t p = 0; p < task.row.size(); ++p) {
      if (!task.row[p].defined() || !is_shared_[p]) continue;
      parts.push_back(task.row[p]);
      const Tensor& part = task.row[p];
      const Tensor entries = part.is_sparse() ? part.coalesce().values() : part;
      norms.push_back(in_real_parts(entries).norm(2, torch::kDouble));
    }
    const double length = read_together(norms).norm() / task.units();
    if (!std::isfinite(length) || length <= max_norm) continue;
    for (Tensor& part : parts) part.mul_(max_norm / length);
  }
}

TaskLosses AccumulatedLosses::losses() const {
  TaskLosses whole;
  whole.task_count = task_count_;
  for (const auto& [index, task] : tasks_) {
    // Where every weight is zero (a class of weight 0 only) the batch teaches nothing.
    const double divisor = task.weight == 0 ? 1 : task.weight;
    Tensor value = torch::full_like(task.like, task.sum / divisor);
    std::vector<Tensor> reached, gradient;
    {
      const torch::NoGradGuard no_grad;
      for (size_t p = 0; p < task.row.size(); ++p) {
        if (!task.row[p].defined()) continue;
        reached.push_back(parameters_[p]);
        gradient.push_back((task.row[p] / task.units()).to(parameters_[p].scalar_type()));
      }
    }
    if (!reached.empty()) value = with_gradient(std::move(value), reached, std::move(gradient));
    whole.tasks.push_back(index);
    whole.names.push_back(task.name);
    whole.values.push_back(std::move(value));
    whole.samples.push_back(task.samples);
    whole.weights.push_back(
        task.weighted
            ? torch::full_like(task.like, task.weight, task.like.options().dtype(torch::kDouble))
            : Tensor());
    whole.kinds.push_back(task.kind);
  }
  return whole;
}

}  // namespace mtl
