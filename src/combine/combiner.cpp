#include "mtl/combine/combiner.hpp"

#include "mtl/core/error.hpp"

namespace mtl {

TaskLosses task_losses(std::vector<Tensor> values) {
  TaskLosses losses;
  losses.task_count = static_cast<int64_t>(values.size());
  for (int64_t t = 0; t < losses.task_count; ++t) {
    losses.tasks.push_back(t);
    losses.names.push_back(std::to_string(t));
    losses.samples.push_back(1);
  }
  losses.values = std::move(values);
  return losses;
}

Tensor Combiner::total(const TaskLosses& losses) const { return torch::stack(losses.values).sum(); }

void Combiner::load_state_dict(const NamedTensors& state) {
  if (!state.is_empty())
    throw Error(
        "this combiner keeps no state, but was given \"{}\"; the checkpoint is of another combiner",
        state.front().key());
}

void LossCombiner::backward(const TaskLosses& losses, Model& /*model*/) {
  if (losses.size() == 0) return;  // no task has a label in this batch: nothing to learn
  combine(losses).backward();
}

}  // namespace mtl
