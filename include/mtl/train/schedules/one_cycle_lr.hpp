#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "mtl/core/error.hpp"

namespace mtl {

/// One rise and one fall over the whole run, step by step, both along half a cosine: from max /
/// div_factor up to max, then down to max / div_factor / final_div_factor. Smith and Topin 2018
/// (arXiv 1708.07120).
struct OneCycleLr {
  static constexpr bool by_step = true;

  double max_lr = 0;        // 0: the rate that each group came with
  int64_t total_steps = 0;  // 0: all steps of the run
  double pct_start = 0.3;   // part of the run that rises
  double div_factor = 25;
  double final_div_factor = 1e4;

  double rate(double base, int64_t step) const {
    const auto between = [](double from, double to, double part) {
      return to + (from - to) * (1 + std::cos(std::numbers::pi * part)) / 2;
    };
    const double top = max_lr > 0 ? max_lr : base;
    const double first = top / div_factor;
    const double peak = pct_start * static_cast<double>(total_steps) - 1;
    const double last = static_cast<double>(total_steps - 1);
    const double at = std::min(static_cast<double>(step), last);
    if (at <= peak) return peak > 0 ? between(first, top, at / peak) : top;
    return between(top, first / final_div_factor, (at - peak) / (last - peak));
  }

  void check_options() const {
    if (!(std::isfinite(max_lr) && max_lr >= 0))
      throw Error("OneCycleLr: found max_lr {}, expected a finite rate above 0, or 0 for the base",
                  max_lr);
    if (total_steps < 0)
      throw Error("OneCycleLr: found total_steps {}, expected a number of steps, or 0 for all",
                  total_steps);
    if (!(pct_start >= 0 && pct_start <= 1))
      throw Error("OneCycleLr: found pct_start {}, expected a part from 0 to 1", pct_start);
    if (!(std::isfinite(div_factor) && div_factor > 0))
      throw Error("OneCycleLr: found div_factor {}, expected a finite number above 0", div_factor);
    if (!(std::isfinite(final_div_factor) && final_div_factor > 0))
      throw Error("OneCycleLr: found final_div_factor {}, expected a finite number above 0",
                  final_div_factor);
  }
};

}  // namespace mtl
