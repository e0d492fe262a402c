#pragma once

#include <string>
#include <vector>

#include "mtl/core/batch.hpp"
#include "mtl/sharing/model_ref.hpp"

namespace mtl {

/// A trained model that answers for one task, and where the batch keeps its answers.
struct Teacher {
  ModelRef model;
  std::string task;
  std::string target;  ///< the name of a target that the batch does not have
};

/// The batch with the teachers' predictions for its inputs as further targets, for tasks that learn
/// from them: losses Distillation (scores), MeanSquaredError (numbers). Works in any loop, and in
/// the trainer as the transform of a loader.
///
///     tasks.add({.name = "breed_taught", .head = head_of_breed, .loss = Distillation{},
///                .target = "breed_teacher", .auxiliary = true});  // beside "breed"
///     batch = taught(batch, {{breed_model, "breed", "breed_teacher"}});
///
/// Teachers answer in evaluation mode and without gradients, each model once a call; their modes
/// are put back. Error: no such task; a target that the batch has.
Batch taught(Batch batch, const std::vector<Teacher>& teachers);

}  // namespace mtl
