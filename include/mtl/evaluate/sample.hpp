#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/evaluate/student_t.hpp"

namespace mtl::evaluate_detail {

inline void require_sample(std::span<const double> values, size_t at_least, const char* asked) {
  if (values.size() < at_least)
    throw Error("statistics: {} needs at least {} values, found {}", asked, at_least,
                values.size());
  for (size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw Error("statistics: {} needs finite values, found {} at position {}", asked, values[i],
                  i);
}

/// How much of first - second may be nothing but rounding of the two.
inline double rounding_of(double first, double second) {
  return 8 * std::numeric_limits<double>::epsilon() * std::max(std::abs(first), std::abs(second));
}

/// first - second, 0 where only rounding sets them apart (0.1 + 0.2 and 0.3).
inline double difference(double first, double second) {
  return std::abs(first - second) <= rounding_of(first, second) ? 0 : first - second;
}

inline std::vector<double> differences(std::span<const double> first,
                                       std::span<const double> second, size_t at_least,
                                       const char* asked) {
  if (first.size() != second.size())
    throw Error("statistics: {} compares pairs, found {} and {} values", asked, first.size(),
                second.size());
  require_sample(first, at_least, asked);
  require_sample(second, at_least, asked);
  std::vector<double> result(first.size());
  std::transform(first.begin(), first.end(), second.begin(), result.begin(), difference);
  return result;
}

}  // namespace mtl::evaluate_detail

/// Did it help, or was it luck? Means, intervals and paired tests over a handful of runs.
/// Pure functions over plain numbers: they know no network and no tensor.
/// Error, in every function: samples too short for it, samples of unequal length where pairs are
/// asked for, values that are not finite, a level outside (0, 1).
namespace mtl::evaluate {

struct Interval {
  double low = 0, high = 0;
};

/// What a test found: its statistic and the two-sided p-value.
struct TestResult {
  double statistic = 0, p_value = 1;
};

/// Arithmetic mean of n >= 1 values.
inline double mean(std::span<const double> values) {
  evaluate_detail::require_sample(values, 1, "the mean");
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Sample standard deviation (divides by n - 1), n >= 2.
inline double standard_deviation(std::span<const double> values) {
  evaluate_detail::require_sample(values, 2, "the standard deviation");
  const double centre = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - centre) * (value - centre);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

/// Student's interval for the mean of n >= 2 independent values; at `level` = 0.95 it covers the
/// true mean 95 times in 100 when the values are normal.
inline Interval confidence_interval(std::span<const double> values, double level = 0.95) {
  evaluate_detail::require_level(level);
  const double n = static_cast<double>(values.size());
  const double deviation = standard_deviation(values);
  const double half = student_t_two_sided(level, n - 1) * deviation / std::sqrt(n);
  const double centre = mean(values);
  return {centre - half, centre + half};
}

/// Wilson's interval for a proportion of `successes` in `trials` >= 1: an accuracy over one test
/// set. Unlike the textbook +-1.96 sqrt(p(1-p)/n) it stays inside [0, 1] and holds near the ends.
/// Wilson, J. Am. Stat. Assoc. 22 (1927).
inline Interval proportion_interval(int64_t successes, int64_t trials, double level = 0.95) {
  evaluate_detail::require_level(level);
  if (trials < 1 || successes < 0 || successes > trials)
    throw Error(
        "statistics: a proportion needs 0 <= successes <= trials and a trial, found {} of {}",
        successes, trials);
  const double n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  const double z = evaluate_detail::invert_tail(evaluate_detail::normal_two_sided_tail, 1 - level);
  const double centre = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  // The ends are exact in theory; rounding must not leave [0, 1] or miss it.
  return {successes == 0 ? 0 : std::max(0.0, centre - half),
          successes == trials ? 1 : std::min(1.0, centre + half)};
}

}  // namespace mtl::evaluate
