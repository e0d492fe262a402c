#pragma once

#include <torch/types.h>

#include <vector>

namespace mtl::engine {

/// The leaves that backward() from `tensors` would give a gradient, each once, in the order in
/// which they are met; nothing of what lies behind `border`, if that is defined.
std::vector<torch::Tensor> leaves(const std::vector<torch::Tensor>& tensors,
                                  const torch::Tensor& border);

}  // namespace mtl::engine
