#pragma once

#include <algorithm>
#include <cstdint>

namespace mtl {

/// From `start_factor` times the base rate up to the base rate in `total` epochs, in equal steps.
struct LinearWarmUpLr {
  double start_factor = 0.1;
  int64_t total = 5;

  double rate(double base, int64_t epoch) const {
    const double part = static_cast<double>(std::min(epoch, total)) / static_cast<double>(total);
    return base * (start_factor + (1 - start_factor) * part);
  }
};

}  // namespace mtl
