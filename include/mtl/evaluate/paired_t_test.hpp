#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "mtl/evaluate/sample.hpp"
#include "mtl/evaluate/student_t.hpp"

namespace mtl::evaluate {

/// The difference first - second of paired runs, with Student's interval and test.
struct PairedDifference {
  double mean = 0;                ///< mean of first[i] - second[i]
  double standard_deviation = 0;  ///< of the differences
  Interval interval;              ///< for the mean difference
  double t = 0;                   ///< +-infinity when all differences are equal and not zero
  int64_t degrees_of_freedom = 0;
  double p_value = 1;  ///< 1 when all differences are zero
};

/// Paired t-test of mean(first - second) = 0, n >= 2. The pairs are what two methods reached under
/// the same seeds (or splits): pairing removes the luck that both share.
inline PairedDifference paired_t_test(std::span<const double> first, std::span<const double> second,
                                      double level = 0.95) {
  const std::vector<double> change =
      evaluate_detail::differences(first, second, 2, "the paired t-test");
  PairedDifference result;
  result.mean = mean(change);
  result.standard_deviation = standard_deviation(change);
  result.interval = confidence_interval(change, level);
  result.degrees_of_freedom = static_cast<int64_t>(change.size()) - 1;
  const double error = result.standard_deviation / std::sqrt(static_cast<double>(change.size()));
  if (error > 0)
    result.t = result.mean / error;
  else if (result.mean != 0)
    result.t = std::copysign(std::numeric_limits<double>::infinity(), result.mean);
  result.p_value = evaluate_detail::student_t_two_sided_tail(
      result.t, static_cast<double>(result.degrees_of_freedom));
  return result;
}

}  // namespace mtl::evaluate
