#pragma once

#include <torch/nn/module.h>

#include <functional>
#include <string>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl::nn {

/// Parameters and buffers by their full names, sharing memory with the module.
inline NamedTensors weights(const torch::nn::Module& module) {
  NamedTensors all;
  for (const auto& item : module.named_parameters()) all.insert(item.key(), item.value().detach());
  for (const auto& item : module.named_buffers()) all.insert(item.key(), item.value().detach());
  return all;
}

/// Error: `values` lacks a name of the module or has another one, or a shape that differs.
inline void check_weights(const torch::nn::Module& module, const NamedTensors& values) {
  const NamedTensors own = weights(module);
  for (const auto& item : own) {
    const Tensor* value = values.find(item.key());
    if (value == nullptr)
      throw Error("weights: \"{}\" of the model is not there; these weights are of another model",
                  item.key());
    if (value->sizes() != item.value().sizes())
      throw Error(
          "weights: \"{}\" has shape {}, the model's has {}; these weights are of another model",
          item.key(), shape_text(*value), shape_text(item.value()));
  }
  for (const auto& item : values)
    if (own.find(item.key()) == nullptr)
      throw Error("weights: \"{}\" is not part of the model; these weights are of another model",
                  item.key());
}

/// Of `tensor` what `written` has in memory once: where that is expanded, its elements along a
/// dimension are one, and cannot be written each for itself.
inline Tensor each_once(const Tensor& written, Tensor tensor) {
  for (int64_t d = 0; written.layout() == torch::kStrided && d < written.dim(); ++d)
    if (written.stride(d) == 0 && written.size(d) > 1) tensor = tensor.narrow(d, 0, 1);
  return tensor;
}

/// Copies what `value_of(name)` points to, where it is not null, into each of a module's tensors.
/// Values may lie in the memory of others of them, as where two heads are exchanged: nothing is
/// written before all of those are taken.
/// Error, before anything is changed: values that differ where a tensor is expanded.
void copy_weights(NamedTensors& own,
                  const std::function<const Tensor*(const std::string&)>& value_of);

/// Copies `values` into the module's parameters and buffers of the same names.
/// Error, before anything is changed: as check_weights.
void load_weights(torch::nn::Module& module, const NamedTensors& values);

/// A copy that shares no memory.
inline NamedTensors cloned(const NamedTensors& tensors) {
  NamedTensors copy;
  for (const auto& item : tensors) copy.insert(item.key(), item.value().detach().clone());
  return copy;
}

}  // namespace mtl::nn
