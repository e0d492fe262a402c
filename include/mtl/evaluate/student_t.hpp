#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>

#include "mtl/core/error.hpp"

namespace mtl::evaluate_detail {

inline void require_level(double level) {
  if (!(level > 0 && level < 1))
    throw Error("statistics: a confidence level lies between 0 and 1, found {}", level);
}

/// P(|T| > t), accurate in the far tail, where 1 - cdf would cancel.
double student_t_two_sided_tail(double t, double degrees_of_freedom);

inline double normal_two_sided_tail(double z) {
  return std::erfc(std::abs(z) / std::numbers::sqrt2);
}

/// The c > 0 at which a tail that falls from 1 to 0 reaches `target`.
template <class Tail>
double invert_tail(Tail tail, double target) {
  double low = 0, high = 1;
  while (tail(high) > target) high *= 2;
  while (true) {
    const double middle = std::midpoint(low, high);
    if (middle <= low || middle >= high) return high;
    (tail(middle) > target ? low : high) = middle;
  }
}

}  // namespace mtl::evaluate_detail

namespace mtl::evaluate {

/// P(T <= t) for Student's T with `degrees_of_freedom` > 0.
/// Error: degrees of freedom that are not positive.
double student_t_cdf(double t, double degrees_of_freedom);

/// The c > 0 with P(|T| <= c) = level.
/// Error: as student_t_cdf, a level outside (0, 1).
double student_t_two_sided(double level, double degrees_of_freedom);

}  // namespace mtl::evaluate
