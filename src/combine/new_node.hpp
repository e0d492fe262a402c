#pragma once

#include <c10/util/intrusive_ptr.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include <concepts>
#include <type_traits>
#include <utility>
#include <vector>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// A node of the autograd graph behind `inputs`, to be filled in by its members.
/// (torch::autograd::Function takes no list of tensors.)
template <class Node>
class NewNode {
 public:
  explicit NewNode(const std::vector<Tensor>& inputs) {
    node_->set_next_edges(torch::autograd::collect_next_edges(inputs));
  }

  Node* operator->() const { return static_cast<Node*>(node_.get()); }

  /// Makes `value` the node's next output.
  void gives(Tensor& value) const { torch::autograd::set_history(value, node_); }

 private:
  // std::shared_ptr, in later versions of LibTorch c10::intrusive_ptr.
  using Pointer = std::decay_t<decltype(std::declval<Tensor>().grad_fn())>;

  static Pointer made() {
    if constexpr (std::constructible_from<Pointer, Node*>)
      return Pointer(new Node());
    else
      return c10::make_intrusive<Node>();
  }

  const Pointer node_ = made();
};

}  // namespace mtl
