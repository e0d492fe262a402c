#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "mtl/core/error.hpp"
#include "mtl/evaluate/sample.hpp"

namespace mtl::evaluate_detail {

/// log of the binomial coefficient; lgamma_r would be needed only if the sign were of interest.
inline double log_choose(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

}  // namespace mtl::evaluate_detail

namespace mtl::evaluate {

/// McNemar's exact test for two classifiers on the same test set: `only_first` samples only the
/// first gets right, `only_second` only the second. Statistic: the smaller count. McNemar,
/// Psychometrika 12 (1947).
inline TestResult mcnemar_test(int64_t only_first, int64_t only_second) {
  if (only_first < 0 || only_second < 0)
    throw Error("statistics: McNemar's test needs counts, found {} and {}", only_first,
                only_second);
  const double n = static_cast<double>(only_first + only_second);
  const int64_t smaller = std::min(only_first, only_second);
  double tail = 0;
  for (int64_t k = 0; k <= smaller; ++k)
    tail +=
        std::exp(evaluate_detail::log_choose(n, static_cast<double>(k)) - n * std::numbers::ln2);
  return {static_cast<double>(smaller), std::min(1.0, 2 * tail)};
}

}  // namespace mtl::evaluate
