#include "mtl/sharing/surgery/drop_task.hpp"

#include "mtl/core/random.hpp"
#include "mtl/sharing/surgery/changed_model.hpp"

namespace mtl {

Changed<std::shared_ptr<Model>> drop_task(const Model& model, std::string_view task) {
  const KeepGenerator keep;
  return changed_model(model, TaskChange(model, task));
}

}  // namespace mtl
