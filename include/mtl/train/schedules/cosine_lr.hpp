#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "mtl/core/error.hpp"

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

  void check_options() const {
    if (t_max < 1) throw Error("CosineLr: found t_max {}, expected at least 1 epoch", t_max);
    if (!(std::isfinite(eta_min) && eta_min >= 0))
      throw Error("CosineLr: found eta_min {}, expected a finite rate of 0 or more", eta_min);
  }
};

}  // namespace mtl
