#pragma once

#include <concepts>
#include <memory>
#include <string_view>
#include <utility>

#include "mtl/sharing/surgery/task_change.hpp"

namespace mtl {

/// The model without a task and what that had to itself. In evaluation mode the others predict what
/// they did, to the bit. The model given stays as it is.
///
///     auto [smaller, kept] = mtl::drop_task(model, "ear");
///     torch::optim::Adam next(smaller->parameters(), 1e-3);
///     mtl::carry_optimizer_state(adam, next, kept);     // where training goes on
///
/// Optimizers and combiners are for the tasks and tensors that they were made with: make both anew.
/// LibTorch's global generator is left as it was.
/// Error: no such task, or the only one; a part that cannot be copied (nn::clone); a task that
/// others read: CrossStitch, Sluice, ProgressiveLayeredExtraction of several levels, a task from
/// which another is derived; a model of one's own that does not say how (ChangesTasks).
Changed<std::shared_ptr<Model>> drop_task(const Model& model, std::string_view task);

/// The same by its holder, which gives the type.
template <class Holder>
requires std::derived_from<typename Holder::ContainedType, Model> Changed<Holder> drop_task(
    const Holder& model, std::string_view task) {
  auto [after, kept] = drop_task(static_cast<const Model&>(*model), task);
  return {Holder(std::dynamic_pointer_cast<typename Holder::ContainedType>(after)),
          std::move(kept)};
}

}  // namespace mtl
