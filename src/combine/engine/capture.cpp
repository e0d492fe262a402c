#include "capture.hpp"

#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/utils/grad_layout_contract.h>
#include <torch/csrc/autograd/variable.h>

#include "gramian_sum.hpp"
#include "mtl/core/torch_version.hpp"
#include "workspace.hpp"

namespace mtl::engine {
namespace {

using torch::Tensor;
namespace ag = torch::autograd;

std::vector<Tensor> run(const EdgeList& roots, const std::vector<Tensor>& cotangents,
                        const std::vector<Target>& targets) {
  EdgeList outputs;
  std::vector<size_t> position;
  for (size_t i = 0; i < targets.size(); ++i) {
    if (!targets[i].edge.function) continue;
    outputs.push_back(targets[i].edge);
    position.push_back(i);
  }
  std::vector<Tensor> result(targets.size());
  if (outputs.empty() || roots.empty()) return result;
  auto found = ag::Engine::get_default_engine().execute(roots, cotangents, /*keep_graph=*/true,
                                                        /*create_graph=*/false,
                                                        /*accumulate_grad=*/false, outputs);
  for (size_t i = 0; i < position.size(); ++i) {
    auto& gradient = result[position[i]];
    gradient = dense(std::move(found[i]));
#if !MTL_TORCH_2
    // LibTorch 1 keeps a leaf's hooks for the accumulation, which a captured gradient does not
    // reach.
    if (const auto& leaf = targets[position[i]].leaf; gradient.defined() && leaf.defined()) {
      for (const auto& hook : ag::impl::hooks(leaf)) gradient = (*hook)({gradient})[0];
    }
#endif
  }
  return result;
}

}  // namespace

Target target_of(const Tensor& parameter) {
  if (!parameter.defined() || !parameter.requires_grad()) return {};
  return {ag::impl::gradient_edge(parameter), parameter.is_leaf() ? parameter : Tensor()};
}

const Tensor& LossGradient::of(const Tensor& loss) {
  if (!one_.defined() || one_.sizes() != loss.sizes() || one_.dtype() != loss.dtype() ||
      one_.device() != loss.device())
    one_ = at::ones_like(loss, at::MemoryFormat::Preserve);
  return one_;
}

std::vector<Tensor> gradients(const std::vector<Tensor>& losses, const std::vector<Tensor>& weights,
                              const std::vector<Target>& targets) {
  EdgeList roots;
  std::vector<Tensor> cotangents;
  LossGradient one;
  for (size_t t = 0; t < losses.size(); ++t) {
    if (!losses[t].requires_grad()) continue;
    roots.push_back(ag::impl::gradient_edge(losses[t]));
    cotangents.push_back(weights[t].defined() ? weights[t] : one.of(losses[t]));
  }
  return run(roots, cotangents, targets);
}

void accumulate(const Tensor& parameter, Tensor gradient) {
  if (!gradient.defined() || !parameter.requires_grad()) return;
  const at::NoGradGuard no_grad;
  gradient = dense(std::move(gradient));
  auto& grad = const_cast<Tensor&>(parameter).mutable_grad();
  if (grad.defined() && grad.layout() == at::kStrided) {
    grad.add_(gradient);
  } else if (grad.defined()) {
    grad = gradient + grad;
  } else if (owned(gradient) && ag::utils::obeys_layout_contract(gradient, parameter)) {
    grad = gradient.is_view() ? gradient.detach() : std::move(gradient);
  } else {
    grad = ag::utils::clone_obey_contract(gradient, parameter);
  }
#if MTL_TORCH_2
  if (parameter.is_leaf()) {
    if (const auto& hook = ag::impl::post_acc_grad_hooks(parameter)) (*hook)(parameter);
  }
#endif
}

void backward_into(const Tensor& tensor, const Tensor& gradient,
                   const std::vector<Tensor>& parameters) {
  if (!tensor.requires_grad() || !gradient.defined()) return;
  std::vector<Target> targets;
  targets.reserve(parameters.size());
  for (const auto& parameter : parameters) targets.push_back(target_of(parameter));
  auto found = run({ag::impl::gradient_edge(tensor)}, {gradient}, targets);
  for (size_t p = 0; p < parameters.size(); ++p) accumulate(parameters[p], std::move(found[p]));
}

bool has_hooks(Node& node) {
#if MTL_TORCH_2
  if (!node.tensor_pre_hooks().empty() || !node.retains_grad_hooks().empty()) return true;
#endif
  return !node.pre_hooks().empty() || !node.post_hooks().empty();
}

bool has_hooks(const Tensor& leaf) { return !ag::impl::hooks(leaf).empty(); }

WithoutHooks::WithoutHooks([[maybe_unused]] const std::vector<Tensor>& tensors) {
#if MTL_TORCH_2
  for (const Tensor& tensor : tensors)
    if (tensor.is_leaf() && has_hooks(tensor))
      taken_.emplace_back(tensor, std::exchange(ag::impl::hooks(tensor), {}));
#endif
}

WithoutHooks::~WithoutHooks() {
#if MTL_TORCH_2
  for (auto& [tensor, hooks] : taken_) ag::impl::hooks(tensor) = std::move(hooks);
#endif
}

}  // namespace mtl::engine
