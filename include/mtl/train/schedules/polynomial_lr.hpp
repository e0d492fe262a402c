#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "mtl/core/error.hpp"

namespace mtl {

/// Down to zero in `total` epochs as (1 - epoch / total)^power.
struct PolynomialLr {
  int64_t total = 100;
  double power = 1.0;

  double rate(double base, int64_t epoch) const {
    const double part = static_cast<double>(std::min(epoch, total)) / static_cast<double>(total);
    return base * std::pow(1 - part, power);
  }

  void check_options() const {
    if (total < 1) throw Error("PolynomialLr: found total {}, expected at least 1 epoch", total);
    if (!(std::isfinite(power) && power > 0))
      throw Error("PolynomialLr: found power {}, expected a finite number above 0", power);
  }
};

}  // namespace mtl
