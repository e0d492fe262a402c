#include "forward.hpp"

#include <fmt/format.h>

#include <string>

#include "mtl/combine/faulty_step.hpp"

namespace mtl {

NamedTensors forward(Model& model, const Batch& batch) {
  try {
    return model.forward(batch.inputs);
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
