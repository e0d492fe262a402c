#pragma once

#include <c10/util/Exception.h>

#include <string>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// LibTorch's words, without its list of calls.
std::string torch_text(const c10::Error& error);

/// Predictions, targets and LibTorch's words.
std::string torch_text(const c10::Error& error, const Tensor& prediction, const Tensor& target);

}  // namespace mtl
