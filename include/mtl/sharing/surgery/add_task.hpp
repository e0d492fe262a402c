#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include "mtl/sharing/surgery/task_change.hpp"

namespace mtl {

/// The model with a task more, behind the others, which predict in evaluation mode what they did,
/// to the bit. The model given stays as it is.
///
///     auto [larger, kept] = mtl::add_task(model, {.name = "hair", .head = nn::LinearHead(256, 4),
///                                                 .loss = BinaryCrossEntropy{}});
///
/// What the task has to itself beside its head begins as a new model's, drawn from LibTorch's
/// global generator, or as `parts` says. Head and parts go to the type and device of the model. A
/// head that is another task's is shared with it.
/// Optimizers and combiners are for the tasks and tensors that they were made with: make both anew;
/// carry_optimizer_state takes over what an optimizer knows of the tensors that stay.
/// Error: as TaskChange and drop_task.
Changed<std::shared_ptr<Model>> add_task(const Model& model, Task task, NewTaskParts parts = {});

/// The same by its holder, which gives the type.
template <class Holder>
requires std::derived_from<typename Holder::ContainedType, Model> Changed<Holder> add_task(
    const Holder& model, Task task, NewTaskParts parts = {}) {
  auto [after, kept] =
      add_task(static_cast<const Model&>(*model), std::move(task), std::move(parts));
  return {Holder(std::dynamic_pointer_cast<typename Holder::ContainedType>(after)),
          std::move(kept)};
}

}  // namespace mtl
