#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <concepts>
#include <functional>
#include <memory>
#include <utility>

#include "mtl/core/tensor.hpp"
#include "mtl/nn/clone.hpp"

namespace mtl::nn {

/// Any torch module with `Tensor forward(Tensor)`.
template <class Module>
concept TensorModule = std::derived_from<Module, torch::nn::Module> &&
    requires(Module module, const Tensor& input) {
  { module.forward(input) } -> std::convertible_to<Tensor>;
};

/// A torch module with `Tensor forward(Tensor)`, its type forgotten: an encoder or a head. Copies
/// share the module. Made from a module holder (`torch::nn::Linear(4, 1)`, `nn::LinearHead(4, 1)`,
/// ...) or from a shared_ptr; from an empty one it is none.
class Layer {
 public:
  Layer() = default;

  template <TensorModule Module>
  Layer(std::shared_ptr<Module> module)
      : module_(module),
        forward_(
            [raw = module.get()](const Tensor& input) -> Tensor { return raw->forward(input); }),
        clone_([raw = module.get()] { return Layer(nn::clone(*raw)); }) {}

  template <class Holder>
  requires std::derived_from<Holder, torch::nn::ModuleHolder<typename Holder::ContainedType>> Layer(
      const Holder& holder)
      : Layer(holder.is_empty() ? std::shared_ptr<typename Holder::ContainedType>()
                                : holder.ptr()) {}

  Tensor forward(const Tensor& input) const { return forward_(input); }
  /// An independent copy with the same weights. Error: the module cannot be copied (nn::clone).
  Layer clone() const { return module_ ? clone_() : Layer(); }
  const std::shared_ptr<torch::nn::Module>& module() const { return module_; }
  explicit operator bool() const { return module_ != nullptr; }

 private:
  std::shared_ptr<torch::nn::Module> module_;
  std::function<Tensor(const Tensor&)> forward_;
  std::function<Layer()> clone_;
};

}  // namespace mtl::nn

namespace mtl {
using Encoder = nn::Layer;
using Head = nn::Layer;
}  // namespace mtl
