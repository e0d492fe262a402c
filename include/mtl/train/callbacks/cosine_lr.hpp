#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace mtl {

/// From the base rate down to `eta_min` along half a cosine in `t_max` epochs, then up again, and
/// so on. Loshchilov and Hutter, ICLR 2017 (arXiv 1608.03983).
struct CosineLr {
  int64_t t_max = 100;
  double eta_min = 0.0;

  double rate(double base, int64_t epoch) const {
    const double part = static_cast<double>(epoch) / static_cast<double>(t_max);
    return eta_min + (base - eta_min) * (1 + std::cos(std::numbers::pi * part)) / 2;
  }
};

}  // namespace mtl
