#pragma once

#include <cmath>
#include <cstdint>

namespace mtl {

/// Times `gamma` every epoch.
struct ExponentialLr {
  double gamma = 0.95;

  double rate(double base, int64_t epoch) const {
    return base * std::pow(gamma, static_cast<double>(epoch));
  }
};

}  // namespace mtl
