#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "mtl/core/error.hpp"

namespace mtl {

/// From `start_factor` times the base rate up to the base rate in `total` epochs, in equal steps.
struct LinearWarmUpLr {
  double start_factor = 0.1;
  int64_t total = 5;

  double rate(double base, int64_t epoch) const {
    const double part = static_cast<double>(std::min(epoch, total)) / static_cast<double>(total);
    return base * (start_factor + (1 - start_factor) * part);
  }

  void check_options() const {
    if (!(std::isfinite(start_factor) && start_factor >= 0))
      throw Error("LinearWarmUpLr: found start_factor {}, expected a finite number of 0 or more",
                  start_factor);
    if (total < 1) throw Error("LinearWarmUpLr: found total {}, expected at least 1 epoch", total);
  }
};

}  // namespace mtl
