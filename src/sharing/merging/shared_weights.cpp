#include "mtl/sharing/merging/shared_weights.hpp"

#include <string>
#include <unordered_set>
#include <utility>

namespace mtl {
namespace {

/// "encoder.norm" of "encoder.norm.weight"; "" of a tensor of the model itself.
std::string module_of(const std::string& name) {
  const size_t dot = name.rfind('.');
  return dot == name.npos ? std::string() : name.substr(0, dot);
}

}  // namespace

NamedTensors shared_weights(ModelRef model) {
  std::unordered_set<const at::TensorImpl*> shared;
  for (const Tensor& parameter : model->parameter_sets().shared)
    shared.insert(parameter.unsafeGetTensorImpl());
  NamedTensors all;
  std::unordered_set<std::string> with_any, with_shared;  // modules, those around them included
  for (const auto& item : model->named_parameters()) {
    const bool is_shared = shared.contains(item.value().unsafeGetTensorImpl());
    if (is_shared) all.insert(item.key(), item.value().detach());
    std::string module = item.key();
    do {
      module = module_of(module);
      with_any.insert(module);
      if (is_shared) with_shared.insert(module);
    } while (!module.empty());
  }
  // A buffer belongs to whom the parameters beside it belong, or the next ones around it.
  for (const auto& item : model->named_buffers()) {
    std::string module = module_of(item.key());
    while (!module.empty() && !with_any.contains(module)) module = module_of(module);
    if (item.value().defined() && with_shared.contains(module))
      all.insert(item.key(), item.value().detach());
  }
  return all;
}

}  // namespace mtl
