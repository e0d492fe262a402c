#pragma once

#include <memory>

#include "mtl/sharing/surgery/task_change.hpp"

namespace mtl {

/// Carries out a change of tasks, of a model of sharing/ or of one that ChangesTasks; what add_task
/// and drop_task do. The model stays as it is.
/// Error: tasks of its kind cannot be changed so; the text says why.
Changed<std::shared_ptr<Model>> changed_model(const Model& model, TaskChange change);

}  // namespace mtl
