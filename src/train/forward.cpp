#include "forward.hpp"

#include <fmt/format.h>

#include <string>

#include "autocast.hpp"
#include "mtl/combine/faulty_step.hpp"

namespace mtl {

NamedTensors forward(Model& model, const Batch& batch, Arithmetic arithmetic) {
  try {
    if (arithmetic == Arithmetic::float32) return model.forward(batch.inputs);
    NamedTensors predictions;
    {
      const Autocast lower(arithmetic, device_of(model));
      predictions = model.forward(batch.inputs);
    }
    for (auto& item : predictions)
      if (item.value().defined() && item.value().is_floating_point())
        item.value() = item.value().to(torch::kFloat);
    return predictions;
  } catch (const c10::Error& error) {
    std::string inputs;
    for (const auto& item : batch.inputs)
      inputs += fmt::format("{}\"{}\" {} of type {}", inputs.empty() ? "" : ", ", item.key(),
                            shape_text(item.value()), toString(item.value().scalar_type()));
    std::string text = error.what_without_backtrace();
    text.erase(std::min(text.find('\n'), text.size()));
    throw FaultyStep("the model does not take the batch with input {}: {}", inputs, text);
  }
}

torch::Device device_of(const Model& model) {
  const auto parameters = model.parameters();
  return parameters.empty() ? torch::Device(torch::kCPU) : parameters.front().device();
}

}  // namespace mtl
