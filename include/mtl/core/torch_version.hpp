#pragma once

// Everything that differs between the LibTorch versions we build with, except what the engine reads
// from autograd.
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <torch/version.h>

#if TORCH_VERSION_MAJOR < 2
#include <c10/util/Optional.h>
#include <c10/util/string_utils.h>
#include <sstream>
#else
#include <optional>
#endif

/// True on LibTorch 2 and later.
#define MTL_TORCH_2 (TORCH_VERSION_MAJOR >= 2)

namespace mtl {

/// The key under which an optimizer keeps the state of a parameter.
inline auto optimizer_key(const at::Tensor& parameter) {
#if MTL_TORCH_2
  return static_cast<void*>(parameter.unsafeGetTensorImpl());
#else
  return c10::guts::to_string(parameter.unsafeGetTensorImpl());
#endif
}

/// What torch::nn::Module::clone takes.
#if MTL_TORCH_2
using OptionalDevice = std::optional<c10::Device>;
#else
using OptionalDevice = c10::optional<c10::Device>;
#endif

}  // namespace mtl
