#pragma once

#include <cmath>
#include <cstdint>

#include "mtl/core/error.hpp"

namespace mtl {

/// Times `gamma` every epoch.
struct ExponentialLr {
  double gamma = 0.95;

  double rate(double base, int64_t epoch) const {
    return base * std::pow(gamma, static_cast<double>(epoch));
  }

  void check_options() const {
    if (!(std::isfinite(gamma) && gamma > 0))
      throw Error("ExponentialLr: found gamma {}, expected a finite number above 0", gamma);
  }
};

}  // namespace mtl
