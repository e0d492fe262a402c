#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace mtl {

/// Down to zero in `total` epochs as (1 - epoch / total)^power.
struct PolynomialLr {
  int64_t total = 100;
  double power = 1.0;

  double rate(double base, int64_t epoch) const {
    const double part = static_cast<double>(std::min(epoch, total)) / static_cast<double>(total);
    return base * std::pow(1 - part, power);
  }
};

}  // namespace mtl
