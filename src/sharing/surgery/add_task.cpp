#include "mtl/sharing/surgery/add_task.hpp"

#include "mtl/sharing/surgery/changed_model.hpp"

namespace mtl {

Changed<std::shared_ptr<Model>> add_task(const Model& model, Task task, NewTaskParts parts) {
  return changed_model(model, TaskChange(model, std::move(task), std::move(parts)));
}

}  // namespace mtl
