#pragma once

#include <torch/nn/module.h>

#include "mtl/core/tensor.hpp"

namespace mtl::nn {

/// Parameters and buffers by their full names, sharing memory with the module.
NamedTensors weights(const torch::nn::Module& module);

/// Copies `values` into the module's parameters and buffers of the same names.
/// Error, before anything is changed: a name missing or unknown, a shape that differs.
void load_weights(torch::nn::Module& module, const NamedTensors& values);

/// A copy that shares no memory.
NamedTensors cloned(const NamedTensors& tensors);

}  // namespace mtl::nn
