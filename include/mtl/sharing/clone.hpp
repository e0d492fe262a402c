#pragma once

#include <torch/nn/pimpl.h>

#include <concepts>
#include <memory>
#include <unordered_map>

#include "mtl/nn/clone.hpp"
#include "mtl/nn/layer.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/task/registry.hpp"

namespace mtl {

// clone(x): an independent copy with the same weights, of a model, an encoder, a head or the tasks
// with their heads. Training one leaves the other as it is. LibTorch's global generator is left as
// it was. Error: a module is of a kind that cannot be copied (nn::clone, Model::make_again).

inline nn::Layer clone(const nn::Layer& layer) { return layer.clone(); }

/// A copy of any module by its holder: a model (`HardSharing`), an encoder, a head.
template <class Holder>
requires std::derived_from<Holder, torch::nn::ModuleHolder<typename Holder::ContainedType>> Holder
clone(const Holder& holder) {
  return Holder(nn::clone(*holder));
}

/// A copy of a model of any kind.
inline std::shared_ptr<Model> clone(const Model& model) {
  return std::dynamic_pointer_cast<Model>(model.clone());
}

/// Copies of layers, one and the same for one and the same layer.
class LayerClones {
 public:
  nn::Layer of(const nn::Layer& layer);

 private:
  std::unordered_map<const torch::nn::Module*, nn::Layer> clones_;
};

/// Tasks with heads of their own.
TaskRegistry clone(const TaskRegistry& tasks);

}  // namespace mtl
