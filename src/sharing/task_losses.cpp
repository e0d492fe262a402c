#include "mtl/sharing/task_losses.hpp"

#include <iterator>

#include "mtl/core/error.hpp"

namespace mtl {

TaskLosses task_losses(const Model& model, const NamedTensors& predictions, const Batch& batch,
                       const std::vector<bool>& left_out) {
  const TaskRegistry& tasks = model.tasks();
  if (!left_out.empty() && std::ssize(left_out) != tasks.size())
    throw Error("task_losses: left_out is of {} tasks, the model has {}; give one a task, or none",
                left_out.size(), tasks.size());
  TaskLosses losses;
  losses.task_count = tasks.size();
  losses.representation = model.representation();
  const auto count = static_cast<size_t>(tasks.size());
  losses.tasks.reserve(count);
  losses.names.reserve(count);
  losses.values.reserve(count);
  losses.samples.reserve(count);
  losses.weights.reserve(count);
  losses.kinds.reserve(count);
  for (int64_t t = 0; t < tasks.size(); ++t) {
    if (!left_out.empty() && left_out[static_cast<size_t>(t)]) continue;
    const Tensor* prediction = predictions.find(tasks[t].name);
    if (prediction == nullptr)
      throw Error("the model gave no prediction for task \"{}\"", tasks[t].name);
    LossValue loss = loss_of(tasks[t], *prediction, batch);
    if (loss.samples == 0) continue;
    losses.tasks.push_back(t);
    losses.names.push_back(tasks[t].name);
    losses.values.push_back(std::move(loss.value));
    losses.samples.push_back(loss.samples);
    losses.weights.push_back(std::move(loss.weight));
    losses.kinds.push_back(tasks[t].loss.kind());
  }
  return losses;
}

}  // namespace mtl
