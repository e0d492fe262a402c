#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

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
};

}  // namespace mtl
