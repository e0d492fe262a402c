#pragma once

// torch/ordered_dict.h does not compile alone: it uses macros that torch/types.h brings.
#include <torch/types.h>
//
#include <torch/ordered_dict.h>

#include <string>
#include <string_view>
#include <vector>

namespace mtl {

using Tensor = torch::Tensor;

/// Name -> tensor, in the order of insertion.
using NamedTensors = torch::OrderedDict<std::string, Tensor>;

/// Adds `part` to `all`, `prefix` before each name.
inline void insert_under(NamedTensors& all, std::string_view prefix, const NamedTensors& part) {
  for (const auto& item : part) all.insert(std::string(prefix) + item.key(), item.value());
}

/// Those of `all` whose names begin with `prefix`, each by the rest of its name.
inline NamedTensors under(const NamedTensors& all, std::string_view prefix) {
  NamedTensors part;
  for (const auto& item : all)
    if (item.key().starts_with(prefix)) part.insert(item.key().substr(prefix.size()), item.value());
  return part;
}

/// The tensors in their order, those that are the same object only once.
std::vector<Tensor> without_doubles(const std::vector<Tensor>& tensors);

/// The real and imaginary parts of a complex tensor, [..., 2]; any other tensor as it is.
inline Tensor in_real_parts(const Tensor& tensor) {
  if (!tensor.defined() || !tensor.is_complex()) return tensor;
  return at::view_as_real(tensor.resolve_conj());
}

/// `tensor`, of few numbers, in the type of `like` and on its device. The caller does not wait for
/// a GPU: the copy goes through page-locked memory, which torch keeps until it is done.
inline Tensor beside(const Tensor& tensor, const Tensor& like) {
  if (!tensor.is_cpu() || !like.is_cuda()) return tensor.to(like.device(), like.scalar_type());
  return tensor.to(like.scalar_type()).pin_memory().to(like.device(), /*non_blocking=*/true);
}

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
