#include "mtl/combine/task_losses.hpp"

#include "loss_lists.hpp"
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

void check_losses(const TaskLosses& losses) {
  if (losses.values.empty()) throw Error("a step needs at least one loss");
  check_lists(losses);
  bool has_graph = false;
  for (const auto& loss : losses.values) has_graph = has_graph || loss.requires_grad();
  if (!has_graph)
    throw Error(
        "no loss of this step has a graph, so there is nothing to learn from; compute the losses "
        "from parameters that require gradients, outside of NoGradGuard");
}

}  // namespace mtl
