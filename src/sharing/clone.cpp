#include "mtl/sharing/clone.hpp"

#include <utility>

namespace mtl {

nn::Layer LayerClones::of(const nn::Layer& layer) {
  const auto [found, is_new] = clones_.try_emplace(layer.module().get());
  if (is_new) found->second = layer.clone();
  return found->second;
}

TaskRegistry clone(const TaskRegistry& tasks) {
  LayerClones heads;
  TaskRegistry copies;
  for (Task task : tasks) {
    task.head = heads.of(task.head);
    copies.add(std::move(task));
  }
  return copies;
}

}  // namespace mtl
