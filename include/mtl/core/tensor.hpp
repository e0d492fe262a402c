#pragma once

// torch/ordered_dict.h does not compile alone: it uses macros that torch/types.h brings.
#include <torch/types.h>
//
#include <torch/ordered_dict.h>

#include <string>

namespace mtl {

using Tensor = torch::Tensor;

/// Name -> tensor, in the order of insertion.
using NamedTensors = torch::OrderedDict<std::string, Tensor>;

/// A shape as a reader writes it: "[32, 14, 10]".
inline std::string shape_text(const Tensor& tensor) {
  if (!tensor.defined()) return "[undefined]";
  std::string text = "[";
  for (const auto length : tensor.sizes()) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(length);
  }
  return text + "]";
}

}  // namespace mtl
