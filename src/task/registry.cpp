#include "mtl/task/registry.hpp"

#include <algorithm>

#include "mtl/core/error.hpp"

namespace mtl {

Task& TaskRegistry::add(Task task) {
  if (task.name.empty()) throw Error("a task needs a name; give Task::name");
  if (task.name.find('.') != std::string::npos)
    throw Error("task \"{}\": a name becomes part of parameter names and cannot hold a dot",
                task.name);
  if (contains(task.name))
    throw Error("task \"{}\" is registered already; names are unique", task.name);
  if (!task.loss)
    throw Error("task \"{}\" has no loss; give Task::loss, e.g. MeanSquaredError{{}}", task.name);
  for (const Metric& metric : task.metrics)
    if (task.loss.outputs() == LossOutputs::probabilities && metric.takes_logits())
      throw Error(
          "task \"{}\": its loss takes probabilities, and metric \"{}\" logits, of which those "
          "above 0 are a yes; give torch::nn::BCEWithLogitsLoss or BinaryCrossEntropy, and the "
          "head no sigmoid",
          task.name, metric.name);
  // By their names results are asked for and watched.
  for (const Metric& metric : task.metrics)
    if (metric.name == "loss" ||
        std::count_if(task.metrics.begin(), task.metrics.end(),
                      [&](const Metric& other) { return other.name == metric.name; }) > 1)
      throw Error("task \"{}\": {} \"{}\"; set Metric::name, such as DepthWithin{{.name = ...}}",
                  task.name,
                  metric.name == "loss" ? "a metric has the name of its loss,"
                                        : "several metrics have the name",
                  metric.name);
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
