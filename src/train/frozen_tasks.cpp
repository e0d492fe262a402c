#include "frozen_tasks.hpp"

#include <algorithm>
#include <unordered_set>

namespace mtl {

void FrozenTasks::apply(const TrainState& state, bool in_training_mode) {
  if (state.frozen.size() == applied_ && !in_training_mode) return;
  applied_ = state.frozen.size();
  left_out_.clear();
  if (applied_ == 0) return;
  const TaskRegistry& tasks = state.model.tasks();
  for (const Task& task : tasks) left_out_.push_back(state.is_frozen(task.name));
  // Masks, encoders and the like of a task alone.
  std::unordered_set<const at::TensorImpl*> resting;
  const Parameters& sets = state.model.parameter_sets();
  for (size_t t = 0; t < left_out_.size(); ++t)
    if (left_out_[t])
      for (const Tensor& parameter : sets.by_task[t])
        resting.insert(parameter.unsafeGetTensorImpl());
  for (const auto& module : state.model.modules(/*include_self=*/false)) {
    const std::vector<Tensor> own = module->parameters();
    const bool rests = std::all_of(own.begin(), own.end(), [&](const Tensor& parameter) {
      return resting.contains(parameter.unsafeGetTensorImpl());
    });
    if (rests && !own.empty()) module->eval();
  }
  for (const Task& task : tasks) {
    const bool at_rest = std::all_of(tasks.begin(), tasks.end(), [&](const Task& other) {
      return other.head.module() != task.head.module() || state.is_frozen(other.name);
    });
    if (at_rest && task.head) task.head.module()->eval();
  }
}

bool FrozenTasks::nothing_learns(const TrainState& state) {
  const TaskRegistry& tasks = state.model.tasks();
  return std::all_of(tasks.begin(), tasks.end(), [&](const Task& task) {
    return !task.loss.trains() || state.is_frozen(task.name);
  });
}

void FrozenTasks::drop_gradients(const Parameters& parameters) const {
  for (size_t t = 0; t < left_out_.size(); ++t)
    if (left_out_[t])
      for (const Tensor& parameter : parameters.by_task[t]) parameter.mutable_grad().reset();
}

}  // namespace mtl
