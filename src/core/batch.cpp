#include "mtl/core/batch.hpp"

#include "mtl/core/error.hpp"

namespace mtl {

std::string shape_text(const Tensor& tensor) {
  if (!tensor.defined()) return "[undefined]";
  std::string text = "[";
  for (auto length : tensor.sizes()) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(length);
  }
  return text + "]";
}

Batch to(const Batch& batch, torch::Device device) {
  Batch moved;
  moved.complete = batch.complete;
  for (const auto& item : batch.inputs) moved.inputs.insert(item.key(), item.value().to(device));
  for (const auto& item : batch.targets) moved.targets.insert(item.key(), item.value().to(device));
  return moved;
}

Tensor is_labelled(const Tensor& target) {
  if (target.dim() == 0)
    throw Error("a target needs a first dimension that counts the samples, found a scalar");
  Tensor labelled =
      target.is_floating_point() ? target.isnan().logical_not() : target.ne(missing_class);
  return labelled.dim() == 1 ? labelled : labelled.flatten(1).any(1);
}

int64_t size(const Batch& batch) {
  if (!batch.inputs.is_empty()) return batch.inputs.front().value().size(0);
  return batch.targets.is_empty() ? 0 : batch.targets.front().value().size(0);
}

}  // namespace mtl
