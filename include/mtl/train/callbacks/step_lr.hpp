#pragma once

#include <cmath>
#include <cstdint>

namespace mtl {

/// Times `gamma` every `step_size` epochs.
struct StepLr {
  int64_t step_size = 30;
  double gamma = 0.1;

  double rate(double base, int64_t epoch) const {
    const int64_t drops = epoch / step_size;
    return base * std::pow(gamma, static_cast<double>(drops));
  }
};

}  // namespace mtl
