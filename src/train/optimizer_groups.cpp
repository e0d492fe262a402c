#include "optimizer_groups.hpp"

#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/lbfgs.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/sgd.h>

#include <unordered_map>
#include <unordered_set>

#include "mtl/core/error.hpp"

namespace mtl {
namespace {

using TensorKey = const at::TensorImpl*;

TensorKey key_of(const Tensor& tensor) { return tensor.unsafeGetTensorImpl(); }

std::unordered_set<TensorKey> keys_of(const std::vector<Tensor>& tensors) {
  std::unordered_set<TensorKey> keys;
  for (const Tensor& tensor : tensors) keys.insert(key_of(tensor));
  return keys;
}

template <class Options>
void drop_weight_decay(torch::optim::OptimizerOptions& options) {
  if (auto* known = dynamic_cast<Options*>(&options)) known->weight_decay(0);
}

std::unique_ptr<torch::optim::OptimizerOptions> without_weight_decay(
    const torch::optim::OptimizerOptions& defaults) {
  using namespace torch::optim;
  auto options = defaults.clone();
  drop_weight_decay<AdamOptions>(*options);
  drop_weight_decay<AdamWOptions>(*options);
  drop_weight_decay<SGDOptions>(*options);
  drop_weight_decay<RMSpropOptions>(*options);
  drop_weight_decay<AdagradOptions>(*options);
  return options;
}

/// The name under which the model has it.
std::string name_of(const Tensor& tensor, const Model& model) {
  for (const auto& item : model.named_parameters())
    if (item.value().is_same(tensor)) return item.key();
  return "that is not the model's";
}

}  // namespace

void join(Combiner& combiner, torch::optim::Optimizer& optimizer) {
  std::vector<Tensor> learnable = combiner.parameters();
  if (learnable.empty()) return;
  if (dynamic_cast<torch::optim::Adagrad*>(&optimizer) != nullptr)
    throw Error(
        "Adagrad knows only the parameters that it was made with, and cannot take what the "
        "combiner learns; use SGD, Adam, AdamW or RMSprop");
  const auto wanted = keys_of(learnable);
  size_t there = 0;
  for (const auto& group : optimizer.param_groups())
    for (const Tensor& tensor : group.params()) there += wanted.contains(key_of(tensor));
  if (there == wanted.size()) return;
  if (there > 0)
    throw Error(
        "the optimizer holds {} of the combiner's {} learnable parameters; give it all of "
        "combiner.parameters(), or none, so that they join as a group of their own",
        there, wanted.size());
  optimizer.add_param_group(torch::optim::OptimizerParamGroup(
      std::move(learnable), without_weight_decay(optimizer.defaults())));
}

std::vector<Tensor> held_parameters(torch::optim::Optimizer& optimizer, const Model& model) {
  std::vector<Tensor> held;
  std::unordered_map<TensorKey, size_t> group_of;
  const auto& groups = optimizer.param_groups();
  for (size_t g = 0; g < groups.size(); ++g)
    for (const Tensor& tensor : groups[g].params()) {
      const auto [found, is_new] = group_of.emplace(key_of(tensor), g);
      if (!is_new)
        throw Error(
            "the optimizer holds parameter \"{}\" twice (groups {} and {}), and would move it "
            "twice a step. Give it model->parameters(), which lists each tensor once",
            name_of(tensor, model), found->second, g);
      held.push_back(tensor);
    }
  for (const Tensor& parameter : model.parameters())
    if (group_of.contains(key_of(parameter))) return held;
  throw Error(
      "the optimizer holds none of the model's parameters: it is another model's, or was made "
      "before they were. Make it from this model's parameters()");
}

std::vector<std::string> not_held(const Model& model, const std::vector<Tensor>& held) {
  const auto keys = keys_of(held);
  std::vector<std::string> names;
  for (const auto& item : model.named_parameters())
    if (item.value().requires_grad() && !keys.contains(key_of(item.value())))
      names.push_back(item.key());
  return names;
}

void check_optimizer(torch::optim::Optimizer& optimizer, Model& model) {
  if (dynamic_cast<torch::optim::LBFGS*>(&optimizer) != nullptr)
    throw Error(
        "LBFGS asks for the loss several times a step, and the trainer gives it one gradient. Use "
        "SGD, Adam or another of that kind, or a loop of your own with combiner.backward() in its "
        "closure");
  const auto held = keys_of(held_parameters(optimizer, model));
  const auto& by_task = model.parameter_sets().by_task;
  for (size_t t = 0; t < by_task.size(); ++t) {
    const Tensor* left_out = nullptr;
    bool any_held = false;
    for (const Tensor& parameter : by_task[t]) {
      any_held = any_held || held.contains(key_of(parameter));
      if (parameter.requires_grad()) left_out = &parameter;
    }
    if (left_out != nullptr && !any_held)
      throw Error(
          "the optimizer holds no parameter of task \"{}\" (such as \"{}\"), whose head would stay "
          "as it was made. Make the optimizer from model->parameters(), or freeze the head by "
          "set_requires_grad(false)",
          model.tasks()[static_cast<int64_t>(t)].name, name_of(*left_out, model));
  }
}

}  // namespace mtl
