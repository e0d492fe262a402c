#include "mtl/nn/clone.hpp"

#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/embedding.h>

#include <algorithm>
#include <functional>
#include <typeinfo>
#include <unordered_map>
#include <vector>

#include "mtl/core/error.hpp"

namespace mtl::nn {
namespace {

using Named = torch::OrderedDict<std::string, Tensor>;

/// For each tensor the place of the first that is the same one.
std::vector<size_t> first_places(const Named& tensors) {
  std::unordered_map<const at::TensorImpl*, size_t> seen;
  std::vector<size_t> places;
  for (const auto& item : tensors)
    places.push_back(seen.emplace(item.value().unsafeGetTensorImpl(), places.size()).first->second);
  return places;
}

/// Error: what is one tensor in two places of the one is two in the other, which learn apart.
void check_ties(const Named& from, const Named& to) {
  const auto of_from = first_places(from), of_to = first_places(to);
  for (size_t i = 0; i < of_from.size(); ++i)
    if (of_from[i] != of_to[i])
      throw Error(
          "clone: \"{}\" and \"{}\" are one tensor in {}, and two in {}, which would learn apart. "
          "Give each place a layer of its own, or override clone() (of a model make_again())",
          from[std::min(of_from[i], of_to[i])].key(), from[i].key(),
          of_from[i] < i ? "the module" : "the copy", of_from[i] < i ? "the copy" : "the module");
}

/// LibTorch makes the copy of an embedding around the tensor that it was made from, which is the
/// module's own. While this lives it is a copy of that.
class OwnWeights {
 public:
  explicit OwnWeights(const torch::nn::Module& module) {
    give(module);
    for (const auto& inner : module.modules(/*include_self=*/false)) give(*inner);
  }
  ~OwnWeights() {
    while (!put_back_.empty()) {
      put_back_.back()();
      put_back_.pop_back();
    }
  }
  OwnWeights(const OwnWeights&) = delete;
  OwnWeights& operator=(const OwnWeights&) = delete;

 private:
  void give(const torch::nn::Module& module) {
    give_as<torch::nn::EmbeddingImpl>(module);
    give_as<torch::nn::EmbeddingBagImpl>(module);
  }
  template <class Embedding>
  void give_as(const torch::nn::Module& module) {
    auto* embedding = const_cast<Embedding*>(dynamic_cast<const Embedding*>(&module));
    if (embedding == nullptr || !embedding->options._weight().defined()) return;
    put_back_.push_back([embedding, before = embedding->options._weight()] {
      embedding->options._weight() = before;
    });
    embedding->options._weight() = embedding->weight.detach().clone();
  }

  std::vector<std::function<void()>> put_back_;
};

void copy_tensors(const Named& from, Named to, const char* kind) {
  if (from.keys() != to.keys())
    throw Error(
        "clone: the copy has {} {} where the module has {}, or other names: its options() or its "
        "clone() do not make the same module again",
        to.size(), kind, from.size());
  check_ties(from, to);
  for (const auto& item : from)
    if (item.value().defined() && item.value().is_same(to[item.key()]))
      throw Error(
          "clone: \"{}\" of the copy is the module's own tensor, so that they would learn "
          "together; let its options() or its clone() make one of the copy's own",
          item.key());
  for (auto& item : to) {
    const Tensor& value = from[item.key()];
    if (!value.defined()) continue;
    item.value().set_data(value.detach().clone());
    if (value.is_floating_point() || value.is_complex())
      item.value().set_requires_grad(value.requires_grad());
  }
}

/// Error: a part of the copy is of another class, which knows nothing of what its own added, or is
/// none at all, which is what torch's containers make of that.
void check_classes(const torch::nn::Module& from, const torch::nn::Module* to) {
  if (to == nullptr || typeid(from) != typeid(*to))
    throw Error(
        "module {} cannot be copied: it derives from a class whose clone() knows nothing of what "
        "it adds. Let it override clone(), or give it `const Options& options() const` and a "
        "constructor from them",
        from.name());
  const auto parts = from.named_children(), copies = to->named_children();
  for (const auto& item : parts)
    if (const auto* copy = copies.find(item.key()); copy != nullptr && item.value() != nullptr)
      check_classes(*item.value(), copy->get());
}

/// LibTorch numbers the layers in its copy of a Sequential; they are to keep their names.
std::shared_ptr<torch::nn::Module> copy_by_torch(const torch::nn::Module& module) {
  if (typeid(module) != typeid(torch::nn::SequentialImpl)) return module.clone();
  const auto names = module.named_children().keys();
  auto copy = std::make_shared<torch::nn::SequentialImpl>();
  for (const auto& layer : dynamic_cast<const torch::nn::SequentialImpl&>(module))
    copy->push_back(names[copy->size()], layer.clone());
  return copy;
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
  const OwnWeights own(module);
  try {
    copy = copy_by_torch(module);
  } catch (const c10::Error&) {
    throw Error(
        "module {} cannot be copied: LibTorch does not know how it is made. Let it derive from "
        "torch::nn::Cloneable, or give it `const Options& options() const` and a constructor from "
        "them; or make a second one and copy the weights with mtl::nn::load_weights",
        module.name());
  }
  check_classes(module, copy.get());
  copy_state(module, *copy);
  return copy;
}

}  // namespace mtl::nn
