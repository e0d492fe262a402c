#pragma once

#include "capture.hpp"

namespace mtl::engine {

/// What the engine knows about a node of the graph.
enum class Operation { other, addmm, mm, transpose, relu, elementwise };

Operation operation_of(const Node& node);

/// Of addmm and mm, y = b + x W: which edge leads to x, which to W.
bool is_linear(Operation operation);
size_t input_edge(Operation operation);
size_t weight_edge(Operation operation);

/// Whether neither term of an addmm is scaled; true for mm.
bool is_plain_sum(const Node& node, Operation operation);

/// x and W^T as the node has saved them. Throws as autograd does where they were changed in place.
torch::Tensor saved_input(Node& node, Operation operation);
torch::Tensor saved_weight(Node& node, Operation operation);

/// What the node of a rectified linear unit makes of `gradient` [T, N, ...], written over it.
void relu_backward_in_place(Node& node, torch::Tensor& gradient);

/// Whether what runs now on the device of the node's output runs in order with what made that.
bool on_current_stream(const Node& node);

/// A gradient as autograd would hand it to `edge`: summed over what was broadcast, of its type.
torch::Tensor fitted(torch::Tensor gradient, const Edge& edge);

/// Where the gradient of the node's only output flows.
Target output_of(Node& node);

}  // namespace mtl::engine
