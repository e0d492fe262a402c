#include "mtl/nn/clone.hpp"

#include "mtl/core/error.hpp"

namespace mtl::nn {
namespace {

using Named = torch::OrderedDict<std::string, Tensor>;

void copy_tensors(const Named& from, Named to, const char* kind) {
  if (from.keys() != to.keys())
    throw Error(
        "clone: the copy has {} {} where the module has {}, or other names: its options() or its "
        "clone() do not make the same module again",
        to.size(), kind, from.size());
  for (auto& item : to) {
    const Tensor& value = from[item.key()];
    if (!value.defined()) continue;
    item.value().set_data(value.detach().clone());
    if (value.is_floating_point()) item.value().set_requires_grad(value.requires_grad());
  }
}

}  // namespace

void copy_state(const torch::nn::Module& from, torch::nn::Module& to) {
  copy_tensors(from.named_parameters(), to.named_parameters(), "parameters");
  copy_tensors(from.named_buffers(), to.named_buffers(), "buffers");
  // Parents come before their children, which therefore have the last word.
  const auto modules = from.modules(/*include_self=*/false);
  const auto copies = to.modules(/*include_self=*/false);
  to.train(from.is_training());
  for (size_t m = 0; m < modules.size() && m < copies.size(); ++m)
    copies[m]->train(modules[m]->is_training());
}

std::shared_ptr<torch::nn::Module> clone_by_torch(const torch::nn::Module& module) {
  const KeepGenerator keep;
  std::shared_ptr<torch::nn::Module> copy;
  try {
    copy = module.clone();
  } catch (const c10::Error&) {
    throw Error(
        "module {} cannot be copied: LibTorch does not know how it is made. Let it derive from "
        "torch::nn::Cloneable, or give it `const Options& options() const` and a constructor from "
        "them; or make a second one and copy the weights with mtl::nn::load_weights",
        module.name());
  }
  copy_state(module, *copy);
  return copy;
}

}  // namespace mtl::nn
