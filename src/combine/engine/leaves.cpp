#include "leaves.hpp"

#include <torch/csrc/autograd/functions/accumulate_grad.h>

#include <unordered_set>

#include "capture.hpp"

namespace mtl::engine {

std::vector<torch::Tensor> leaves(const std::vector<torch::Tensor>& tensors,
                                  const torch::Tensor& border) {
  std::vector<torch::Tensor> found;
  std::unordered_set<Node*> seen;
  std::vector<Node*> open;
  EdgeList roots;  // the node of a leaf lives no longer than somebody holds it
  const auto add = [&](Node* node) {
    if (node != nullptr && seen.insert(node).second) open.push_back(node);
  };
  const Edge end = border.defined() ? target_of(border).edge : Edge();
  seen.insert(end.function.get());
  for (const auto& tensor : tensors) roots.push_back(target_of(tensor).edge);
  for (const auto& root : roots) add(root.function.get());
  while (!open.empty()) {
    Node* node = open.back();
    open.pop_back();
    if (auto* leaf = dynamic_cast<torch::autograd::AccumulateGrad*>(node))
      found.push_back(leaf->variable);
    for (const auto& edge : node->next_edges()) add(edge.function.get());
  }
  return found;
}

}  // namespace mtl::engine
