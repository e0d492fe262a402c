#include "mtl/task/task.hpp"

#include <algorithm>
#include <limits>

#include "mtl/core/error.hpp"
#include "mtl/task/registry.hpp"

namespace mtl {

LossValue Loss::operator()(const Tensor& prediction, const Tensor& target, bool complete) const {
  if (prediction.dim() == 0 || target.dim() == 0 || prediction.size(0) != target.size(0))
    throw Error(
        "prediction {} and target {} do not count the same samples in their first dimension",
        shape_text(prediction), shape_text(target));
  Tensor answered = prediction, labels = target;
  bool whole = complete;  // no NaN among the labels that the loss will see
  if (!complete) {
    const Tensor rows = is_labelled(target).nonzero().squeeze(1);
    if (rows.size(0) == 0) return {};
    if (rows.size(0) < target.size(0)) {
      answered = prediction.index_select(0, rows);
      labels = target.index_select(0, rows);
    }
    whole = labels.numel() == labels.size(0);  // rows of several entries may be labelled in part
  }
  const int64_t samples = labels.size(0);
  if (samples == 0) return {};
  if (whole && mean_) return {mean_(answered, labels), samples};
  const SampleLosses losses = by_sample_(answered, labels);
  if (losses.values.dim() != 1 || losses.values.size(0) != samples)
    throw Error("the loss gave shape {} for {} samples; it must give one value a sample, [{}]",
                shape_text(losses.values), samples, samples);
  if (!losses.weights.defined()) return {losses.values.mean(), samples};
  // Where every weight is zero (a class of weight 0 only) the batch teaches nothing: 0, not 0/0.
  const Tensor total = losses.weights.sum().clamp_min(std::numeric_limits<float>::min());
  return {(losses.values * losses.weights).sum() / total, samples};
}

LossValue loss_of(const Task& task, const Tensor& prediction, const Batch& batch) {
  const Tensor* target = batch.targets.find(task.target_name());
  if (target == nullptr || !target->defined()) return {};
  try {
    return task.loss(prediction, *target, batch.complete);
  } catch (const Error& error) {
    throw Error("task \"{}\": {}", task.name, error.what());
  }
}

Task& TaskRegistry::add(Task task) {
  if (task.name.empty()) throw Error("a task needs a name; give Task::name");
  if (task.name.find('.') != std::string::npos)
    throw Error("task \"{}\": a name becomes part of parameter names and cannot hold a dot",
                task.name);
  if (contains(task.name))
    throw Error("task \"{}\" is registered already; names are unique", task.name);
  if (!task.loss)
    throw Error("task \"{}\" has no loss; give Task::loss, e.g. MeanSquaredError{{}}", task.name);
  return tasks_.emplace_back(std::move(task));
}

int64_t TaskRegistry::index_of(std::string_view name) const {
  for (size_t i = 0; i < tasks_.size(); ++i)
    if (tasks_[i].name == name) return static_cast<int64_t>(i);
  std::string names;
  for (const auto& task : tasks_) names += (names.empty() ? "" : ", ") + task.name;
  throw Error("no task \"{}\"; registered: {}", name, names.empty() ? "none" : names);
}

bool TaskRegistry::contains(std::string_view name) const {
  return std::any_of(tasks_.begin(), tasks_.end(),
                     [&](const Task& task) { return task.name == name; });
}

}  // namespace mtl
