#pragma once

#include <cmath>
#include <cstdint>

#include "mtl/core/error.hpp"

namespace mtl {

/// Times `gamma` every `step_size` epochs.
struct StepLr {
  int64_t step_size = 30;
  double gamma = 0.1;

  double rate(double base, int64_t epoch) const {
    const int64_t drops = epoch / step_size;
    return base * std::pow(gamma, static_cast<double>(drops));
  }

  void check_options() const {
    if (step_size < 1)
      throw Error("StepLr: found step_size {}, expected at least 1 epoch", step_size);
    if (!(std::isfinite(gamma) && gamma > 0))
      throw Error("StepLr: found gamma {}, expected a finite number above 0", gamma);
  }
};

}  // namespace mtl
