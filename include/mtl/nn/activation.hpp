#pragma once

#include <array>
#include <string_view>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl::nn {

/// The non-linearity between layers.
enum class Activation { relu, gelu, silu, tanh, leaky_relu, relu6 };
/// In the order of Activation, as files call them.
inline constexpr std::array<std::string_view, 6> activation_names = {"relu", "gelu",       "silu",
                                                                     "tanh", "leaky_relu", "relu6"};

inline Tensor activate(Activation activation, const Tensor& input) {
  switch (activation) {
    case Activation::relu:
      return torch::relu(input);
    case Activation::gelu:
      return torch::gelu(input);
    case Activation::silu:
      return torch::silu(input);
    case Activation::tanh:
      return torch::tanh(input);
    case Activation::leaky_relu:
      return torch::leaky_relu(input);
    case Activation::relu6:
      return torch::clamp(input, 0.0, 6.0);
  }
  throw Error("unknown activation {}", static_cast<int>(activation));
}

}  // namespace mtl::nn
