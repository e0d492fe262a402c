#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/formatted.hpp"

namespace mtl {

/// Times `gamma` at each of the epochs named (from 0).
struct MultiStepLr {
  std::vector<int64_t> milestones;  // increasing
  double gamma = 0.1;

  double rate(double base, int64_t epoch) const {
    double passed = 0;
    for (int64_t milestone : milestones) passed += epoch >= milestone;
    return base * std::pow(gamma, passed);
  }

  void check_options() const {
    if (milestones.empty())
      throw Error("MultiStepLr: found no milestones, expected the epochs at which the rate falls");
    for (size_t m = 0; m < milestones.size(); ++m)
      if (milestones[m] < 0 || (m > 0 && milestones[m] <= milestones[m - 1]))
        throw Error("MultiStepLr: found milestone {}{}, expected epochs of 0 or more that increase",
                    milestones[m], m > 0 ? formatted(" after {}", milestones[m - 1]) : "");
    if (!(std::isfinite(gamma) && gamma > 0))
      throw Error("MultiStepLr: found gamma {}, expected a finite number above 0", gamma);
  }
};

}  // namespace mtl
