#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "mtl/evaluate/sample.hpp"

namespace mtl::evaluate {

/// How far an interval around a prediction has to reach to hold the truth with probability `level`,
/// by the errors on n >= 1 samples that the model was not trained on: the ceil((n + 1) level)-th
/// smallest of their absolute values (or of these divided by what error is usual for the sample,
/// where that is known; then the interval reaches so many of it). Infinite where n is too small for
/// the level.
///
/// Whatever the model and the errors' distribution, an interval so made covers at least `level` of
/// new samples on average, if they are like those that it was made from; where times change, as
/// years do, it covers as much of the next ones as they are alike. Split conformal prediction,
/// Papadopoulos et al., ECML 2002; Lei et al., J. Am. Stat. Assoc. 113 (2018), arXiv 1604.04173.
inline double conformal_quantile(std::span<const double> errors, double level = 0.8) {
  evaluate_detail::require_sample(errors, 1, "the conformal quantile");
  evaluate_detail::require_level(level);
  const double n = static_cast<double>(errors.size());
  // Rounding must not push a whole number up: 9 samples at 0.8 are the 8th.
  const double rank = std::ceil((n + 1) * level * (1 - 1e-12));
  if (rank > n) return std::numeric_limits<double>::infinity();
  std::vector<double> sizes(errors.begin(), errors.end());
  for (double& size : sizes) size = std::abs(size);
  const auto at = sizes.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
  std::nth_element(sizes.begin(), at, sizes.end());
  return *at;
}

}  // namespace mtl::evaluate
