#pragma once

#include <string>
#include <vector>

#include "mtl/combine/combine.hpp"
#include "mtl/task/tasks.hpp"

namespace mtl {

/// Losses of tasks "0", "1", ... with these values, as leaves that take a gradient.
inline TaskLosses constant_losses(const std::vector<double>& row,
                                  std::vector<LossKind> kinds = {}) {
  std::vector<Tensor> values;
  for (const double value : row)
    values.push_back(torch::tensor(value, torch::kDouble).requires_grad_());
  return task_losses(values, std::move(kinds));
}

/// The kind of each task, regression where true.
inline std::vector<LossKind> kinds(const std::vector<bool>& regression) {
  std::vector<LossKind> result;
  for (const bool is_regression : regression)
    result.push_back(is_regression ? LossKind::regression : LossKind::classification);
  return result;
}

/// Only the tasks of `kept`, as in a batch where the others have no label.
inline TaskLosses only(const TaskLosses& all, const std::vector<int64_t>& kept) {
  TaskLosses some;
  some.task_count = all.task_count;
  for (const int64_t t : kept) {
    some.tasks.push_back(t);
    some.names.push_back(all.names[static_cast<size_t>(t)]);
    some.values.push_back(all.values[static_cast<size_t>(t)]);
    some.samples.push_back(1);
    if (!all.kinds.empty()) some.kinds.push_back(all.kinds[static_cast<size_t>(t)]);
  }
  return some;
}

/// Tasks that are regressions or classifications, one for each entry.
inline TaskRegistry tasks_of_kind(const std::vector<bool>& regression) {
  TaskRegistry tasks;
  for (size_t t = 0; t < regression.size(); ++t) {
    Task task{.name = "task" + std::to_string(t)};
    task.loss = regression[t] ? Loss(MeanSquaredError{}) : Loss(CrossEntropy{});
    tasks.add(task);
  }
  return tasks;
}

}  // namespace mtl
