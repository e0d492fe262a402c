#include "autocast.hpp"

#include <ATen/autocast_mode.h>

#include "mtl/core/torch_version.hpp"

namespace mtl {

Autocast::Autocast(Arithmetic arithmetic, c10::Device device)
    : acts_(arithmetic != Arithmetic::float32), device_(device.type()) {
  if (!acts_) return;
  before_ = state(device_);
  set(device_, {true, arithmetic == Arithmetic::float16 ? c10::ScalarType::Half
                                                        : c10::ScalarType::BFloat16});
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!acts_) return;
  // The weights' casts are kept for one pass only: the optimizer changes them.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  set(device_, before_);
}

#if MTL_TORCH_2
Autocast::State Autocast::state(c10::DeviceType device) {
  return {at::autocast::is_autocast_enabled(device), at::autocast::get_autocast_dtype(device)};
}

void Autocast::set(c10::DeviceType device, State state) {
  at::autocast::set_autocast_enabled(device, state.on);
  at::autocast::set_autocast_dtype(device, state.type);
}
#else
Autocast::State Autocast::state(c10::DeviceType device) {
  if (device == c10::kCPU)
    return {at::autocast::is_cpu_enabled(), at::autocast::get_autocast_cpu_dtype()};
  return {at::autocast::is_enabled(), at::autocast::get_autocast_gpu_dtype()};
}

void Autocast::set(c10::DeviceType device, State state) {
  if (device == c10::kCPU) {
    at::autocast::set_cpu_enabled(state.on);
    at::autocast::set_autocast_cpu_dtype(state.type);
  } else {
    at::autocast::set_enabled(state.on);
    at::autocast::set_autocast_gpu_dtype(state.type);
  }
}
#endif

}  // namespace mtl
