#include "memory_layout.hpp"

namespace mtl {

void lay_channels_last(Model& model) {
  const torch::NoGradGuard no_grad;
  for (Tensor parameter : model.parameters())
    if (parameter.dim() == 4)  // the tensor stays the one that an optimizer knows
      parameter.set_data(parameter.detach().contiguous(at::MemoryFormat::ChannelsLast));
}

Batch with_channels_last(Batch batch) {
  for (auto& input : batch.inputs)
    if (input.value().dim() == 4)
      input.value() = input.value().contiguous(at::MemoryFormat::ChannelsLast);
  return batch;
}

}  // namespace mtl
