#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "mtl/core/error.hpp"

namespace mtl {

/// Half a cosine from the base rate to `eta_min` in `t_0` epochs, then anew from the top, each
/// round `t_mult` times as long as the one before. Loshchilov and Hutter, ICLR 2017 (arXiv
/// 1608.03983).
struct CosineWarmRestartsLr {
  int64_t t_0 = 10;
  int64_t t_mult = 1;
  double eta_min = 0.0;

  double rate(double base, int64_t epoch) const {
    int64_t length = t_0;
    while (epoch >= length) {
      epoch -= length;
      length *= t_mult;
    }
    const double part = static_cast<double>(epoch) / static_cast<double>(length);
    return eta_min + (base - eta_min) * (1 + std::cos(std::numbers::pi * part)) / 2;
  }

  void check_options() const {
    if (t_0 < 1) throw Error("CosineWarmRestartsLr: found t_0 {}, expected at least 1 epoch", t_0);
    if (t_mult < 1)
      throw Error("CosineWarmRestartsLr: found t_mult {}, expected at least 1", t_mult);
    if (!(std::isfinite(eta_min) && eta_min >= 0))
      throw Error("CosineWarmRestartsLr: found eta_min {}, expected a finite rate of 0 or more",
                  eta_min);
  }
};

}  // namespace mtl
