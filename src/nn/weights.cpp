#include "mtl/nn/weights.hpp"

#include <unordered_set>

namespace mtl::nn {

void copy_weights(NamedTensors& own,
                  const std::function<const Tensor*(const std::string&)>& value_of) {
  const auto memory_of = [](const Tensor& tensor) -> const void* {
    return tensor.has_storage() ? tensor.storage().unsafeGetStorageImpl() : nullptr;
  };
  std::unordered_set<const void*> memory;
  for (const auto& item : own) memory.insert(memory_of(item.value()));
  std::vector<Tensor> values;
  for (const auto& item : own) {
    const Tensor* value = value_of(item.key());
    values.push_back(value == nullptr                     ? Tensor()
                     : memory.contains(memory_of(*value)) ? value->detach().clone()
                                                          : *value);
    if (value == nullptr) continue;
    if (value->is_complex() && !item.value().is_complex())
      throw Error("weights: \"{}\" is complex, the model's is real and cannot hold it", item.key());
    const Tensor once = each_once(item.value(), *value);
    if (once.sizes() != value->sizes() && !once.expand_as(*value).equal(*value))
      throw Error("weights: \"{}\" is expanded, one value in several places, and gets several",
                  item.key());
    values.back() = each_once(item.value(), values.back());
  }
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i].defined()) each_once(own[i].value(), own[i].value()).copy_(values[i]);
}

void load_weights(torch::nn::Module& module, const NamedTensors& values) {
  check_weights(module, values);
  NamedTensors own = weights(module);
  copy_weights(own, [&](const std::string& name) { return values.find(name); });
}

}  // namespace mtl::nn
