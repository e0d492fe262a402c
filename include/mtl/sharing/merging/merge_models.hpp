#pragma once

#include <torch/nn/pimpl.h>

#include <concepts>
#include <memory>
#include <vector>

#include "mtl/sharing/merging/task_vectors.hpp"
#include "mtl/sharing/model_ref.hpp"

namespace mtl {

/// One model of all tasks of `models`, which were tuned on different tasks from one start: what
/// they share is merged, what a task has to itself (its head, its gate) comes with it as it is.
///     const NamedTensors start = mtl::nn::cloned(mtl::shared_weights(first));  // before tuning
///     auto both = mtl::merge_models(start, {breed, ear}, mtl::TiesMerging{});
///
/// The models are of one way of sharing and one structure, and stay as they are; the merged one
/// takes mode, types and devices of the first. Error: no model; a task that two of them have; a
/// part that only one has; a way of sharing that tasks cannot be added to (add_task); what the
/// merging says, names of models by their number.
std::shared_ptr<Model> merge_models(const NamedTensors& start, const std::vector<ModelRef>& models,
                                    const Merging& merging);

/// The same of models of one type by their holders.
template <class Holder>
requires std::derived_from<typename Holder::ContainedType, Model> Holder
merge_models(const NamedTensors& start, const std::vector<Holder>& models, const Merging& merging) {
  return Holder(std::dynamic_pointer_cast<typename Holder::ContainedType>(
      merge_models(start, std::vector<ModelRef>(models.begin(), models.end()), merging)));
}

}  // namespace mtl
