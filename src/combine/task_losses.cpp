#include "mtl/combine/task_losses.hpp"

#include "mtl/core/error.hpp"

namespace mtl {

TaskLosses task_losses(std::vector<Tensor> values, std::vector<LossKind> kinds) {
  if (!kinds.empty() && kinds.size() != values.size())
    throw Error("task_losses: {} losses, but {} kinds; give one a loss, or none", values.size(),
                kinds.size());
  TaskLosses losses;
  losses.task_count = static_cast<int64_t>(values.size());
  for (int64_t t = 0; t < losses.task_count; ++t) {
    losses.tasks.push_back(t);
    losses.names.push_back(std::to_string(t));
    losses.samples.push_back(1);
  }
  losses.values = std::move(values);
  losses.kinds = std::move(kinds);
  return losses;
}

}  // namespace mtl
