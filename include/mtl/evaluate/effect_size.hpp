#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "mtl/evaluate/sample.hpp"

namespace mtl::evaluate {

/// How large the difference of paired runs is beside its spread: the mean of first - second over
/// its standard deviation (Cohen's d for pairs), n >= 2. As a rule of thumb 0.2 is small, 0.5
/// medium and 0.8 large. Infinite where all differences are equal and not zero, 0 where all are
/// zero or their mean is nothing but rounding.
/// Cohen, Statistical Power Analysis for the Behavioral Sciences (1988).
inline double effect_size(std::span<const double> first, std::span<const double> second) {
  const std::vector<double> change =
      evaluate_detail::differences(first, second, 2, "the effect size");
  const double shift = mean(change), spread = standard_deviation(change);
  if (spread > 0) return std::abs(shift) < 1e-12 * spread ? 0 : shift / spread;
  return shift == 0 ? 0 : std::copysign(std::numeric_limits<double>::infinity(), shift);
}

/// Hedges' factor for an effect size of `degrees_of_freedom` >= 1 (pairs: n - 1), by which the
/// estimate from few values is too large:
///     Gamma(f / 2) / (sqrt(f / 2) Gamma((f - 1) / 2));   0 for f = 1
/// Hedges, J. Educ. Stat. 6 (1981).
inline double hedges_factor(double degrees_of_freedom) {
  if (!(degrees_of_freedom >= 1))
    throw Error("statistics: Hedges' factor needs at least one degree of freedom, found {}",
                degrees_of_freedom);
  const double half = degrees_of_freedom / 2;
  if (half <= 0.5) return 0;
  return std::exp(std::lgamma(half) - std::lgamma(half - 0.5) - std::log(half) / 2);
}

}  // namespace mtl::evaluate
