#pragma once

#include <cstdint>

#include "mtl/core/tensor.hpp"

namespace mtl::nn {

/// The non-linearity between layers.
enum class Activation { relu, gelu, silu, tanh, leaky_relu, relu6 };

Tensor activate(Activation activation, const Tensor& input);

}  // namespace mtl::nn
