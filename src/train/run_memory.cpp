#include "run_memory.hpp"

#include <ATen/Context.h>
#include <fmt/format.h>

#include "forward.hpp"
#include "mtl/core/random.hpp"
#include "mtl/nn/weights.hpp"
#include "mtl/train/callback.hpp"
#include "mtl/train/optimizer_state.hpp"
#include "run_identity.hpp"

namespace mtl {
namespace {

std::string callback_prefix(size_t index) { return fmt::format("callbacks.{}.", index); }

constexpr const char* device_generator = "device_generator";

void set_parts(TrainState& state, const NamedTensors& all) {
  named("model", [&] { nn::load_weights(state.model, under(all, "model.")); });
  named("optimizer", [&] { load_optimizer_state(state.optimizer, under(all, "optimizer.")); });
  named("combiner", [&] { state.combiner.load_state_dict(under(all, "combiner.")); });
  const auto callbacks = train_detail::with_memory(state);
  for (size_t c = 0; c < callbacks.size(); ++c)
    if (callbacks[c]->load_state_dict)
      named("callback " + callbacks[c]->name,
            [&] { callbacks[c]->load_state_dict(under(all, callback_prefix(c))); });
  named("generator", [&] {
    torch::Generator trial = make_generator(0);
    set_generator_state(trial, all["generator"]);  // where it is none, the default one stays whole
    set_default_generator_state(all["generator"]);
  });
  const torch::Device device = device_of(state.model);
  const Tensor* of_device = all.find(device_generator);
  if (device.is_cpu() || of_device == nullptr) return;  // written where the model lay elsewhere
  named(device_generator, [&] {
    torch::Generator generator = at::globalContext().defaultGenerator(device);
    generator.set_state(*of_device);
  });
}

}  // namespace

NamedTensors run_memory(const TrainState& state) {
  NamedTensors all;
  insert_under(all, "model.", nn::weights(state.model));
  insert_under(all, "optimizer.", optimizer_state(state.optimizer));
  insert_under(all, "combiner.", state.combiner.state_dict());
  const auto callbacks = train_detail::with_memory(state);
  for (size_t c = 0; c < callbacks.size(); ++c)
    if (callbacks[c]->state_dict) insert_under(all, callback_prefix(c), callbacks[c]->state_dict());
  all.insert("generator", default_generator_state());
  const torch::Device device = device_of(state.model);
  if (!device.is_cpu())
    all.insert(device_generator, at::globalContext().defaultGenerator(device).get_state());
  return all;
}

void set_run_memory(TrainState& state, const NamedTensors& memory) {
  const NamedTensors before = nn::cloned(run_memory(state));
  try {
    set_parts(state, memory);
  } catch (...) {
    set_parts(state, before);
    throw;
  }
}

}  // namespace mtl
