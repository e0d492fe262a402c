#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "mtl/train/arithmetic.hpp"

namespace mtl {

/// While it lives, this thread's operations on the device are in this arithmetic, by torch's
/// autocast; then all is as before. float32: nothing is changed.
class Autocast {
 public:
  Autocast(Arithmetic arithmetic, c10::Device device);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  struct State {
    bool on;
    c10::ScalarType type;
  };
  static State state(c10::DeviceType device);
  static void set(c10::DeviceType device, State state);

  bool acts_;
  c10::DeviceType device_;
  State before_{};
};

}  // namespace mtl
