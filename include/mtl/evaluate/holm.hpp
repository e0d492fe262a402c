#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/order.hpp"

namespace mtl::evaluate {

/// Holm's correction for m >= 0 comparisons: p-values in the same order, raised so that where no
/// comparison has a difference, the chance that any of them falls below a level is at most that
/// level. The k-th smallest becomes the largest of (m - j + 1) p_j over j <= k, at most 1.
/// Holm, Scand. J. Stat. 6 (1979). Error: a p-value outside [0, 1].
inline std::vector<double> holm(std::span<const double> p_values) {
  for (const double p : p_values)
    if (!(p >= 0 && p <= 1)) throw Error("statistics: a p-value lies between 0 and 1, found {}", p);
  const std::vector<size_t> order = rising_order(p_values);
  std::vector<double> corrected(p_values.size());
  double largest = 0;
  for (size_t k = 0; k < order.size(); ++k) {
    largest = std::max(largest, static_cast<double>(order.size() - k) * p_values[order[k]]);
    corrected[order[k]] = std::min(1.0, largest);
  }
  return corrected;
}

}  // namespace mtl::evaluate
