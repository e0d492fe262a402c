#pragma once

#include <torch/csrc/autograd/edge.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/types.h>

#include <type_traits>
#include <utility>
#include <vector>

namespace mtl::engine {

using Edge = torch::autograd::Edge;
using EdgeList = torch::autograd::edge_list;
using Node = torch::autograd::Node;

/// A place in the graph where a gradient is wanted.
struct Target {
  Edge edge;
  torch::Tensor leaf;  // the parameter of an accumulating edge, undefined elsewhere
};

/// A parameter's place, or an edge without function where it needs no gradient.
Target target_of(const torch::Tensor& parameter);

/// The gradient one of a loss. As a rule all losses take the same tensor, made once.
class LossGradient {
 public:
  const torch::Tensor& of(const torch::Tensor& loss);

 private:
  torch::Tensor one_;  // the last made
};

/// The gradients of sum_i weights[i] * losses[i] at `targets`, one backward pass that goes no
/// further than these and keeps the graph. Undefined where no loss reaches. An undefined weight
/// counts as one. Hooks run as in backward().
std::vector<torch::Tensor> gradients(const std::vector<torch::Tensor>& losses,
                                     const std::vector<torch::Tensor>& weights,
                                     const std::vector<Target>& targets);

/// What backward() does with a parameter's gradient: stored, or added to what is there.
void accumulate(const torch::Tensor& parameter, torch::Tensor gradient);

/// One backward pass from `tensor` with the gradient `gradient`, accumulated in `parameters` (as
/// accumulate does).
void backward_into(const torch::Tensor& tensor, const torch::Tensor& gradient,
                   const std::vector<torch::Tensor>& parameters);

/// Whether a hook of any kind waits at this node; hooks of a leaf included.
bool has_hooks(Node& node);
bool has_hooks(const torch::Tensor& leaf);

/// Takes leaves' hooks off for a while, in which gradients are captured that come back by another
/// graph: there they run, once. (LibTorch 1 runs them nowhere else.)
class WithoutHooks {
 public:
  explicit WithoutHooks(const std::vector<torch::Tensor>& tensors);
  ~WithoutHooks();
  WithoutHooks(const WithoutHooks&) = delete;
  WithoutHooks& operator=(const WithoutHooks&) = delete;

 private:
  using Hooks = std::decay_t<decltype(torch::autograd::impl::hooks(torch::Tensor()))>;
  std::vector<std::pair<torch::Tensor, Hooks>> taken_;
};

}  // namespace mtl::engine
