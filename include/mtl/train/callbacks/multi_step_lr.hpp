#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace mtl {

/// Times `gamma` at each of the epochs named (from 0).
struct MultiStepLr {
  std::vector<int64_t> milestones;
  double gamma = 0.1;

  double rate(double base, int64_t epoch) const {
    double passed = 0;
    for (int64_t milestone : milestones) passed += epoch >= milestone;
    return base * std::pow(gamma, passed);
  }
};

}  // namespace mtl
