#pragma once

#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/evaluate/sample.hpp"

namespace mtl::evaluate_detail {

// About a million sign patterns.
inline constexpr size_t most_exact_permutations = 20;

}  // namespace mtl::evaluate_detail

namespace mtl::evaluate {

/// Sign-flip permutation test of the mean difference; needs symmetry only. Statistic: the mean
/// difference. All 2^n flips are counted up to n = 20; beyond, `resamples` random ones (and the
/// observed one, so that p is never zero) drawn from `seed`.
inline TestResult permutation_test(std::span<const double> first, std::span<const double> second,
                                   int64_t resamples = 99'999, uint64_t seed = 0) {
  if (resamples < 1) throw Error("statistics: resamples must be at least 1, found {}", resamples);
  const std::vector<double> change =
      evaluate_detail::differences(first, second, 1, "the permutation test");
  const double observed = std::accumulate(change.begin(), change.end(), 0.0);
  double magnitude = 0;
  for (const double value : change) magnitude += std::abs(value);
  // Sums of the same numbers in another order of signs differ by rounding: those count as equal.
  const double threshold = std::abs(observed) - 1e-12 * magnitude;
  const TestResult result{observed / static_cast<double>(change.size()), 1};

  if (change.size() <= evaluate_detail::most_exact_permutations) {
    const uint64_t patterns = uint64_t{1} << change.size();
    uint64_t extreme = 0;
    for (uint64_t signs = 0; signs < patterns; ++signs) {
      double sum = 0;
      for (size_t i = 0; i < change.size(); ++i) sum += (signs >> i & 1) ? -change[i] : change[i];
      extreme += std::abs(sum) >= threshold;
    }
    return {result.statistic, static_cast<double>(extreme) / static_cast<double>(patterns)};
  }
  std::mt19937_64 random(seed);
  int64_t extreme = 1;
  for (int64_t round = 0; round < resamples; ++round) {
    double sum = 0;
    uint64_t signs = 0;
    for (size_t i = 0; i < change.size(); ++i) {
      if (i % 64 == 0) signs = random();
      sum += (signs >> (i % 64) & 1) ? -change[i] : change[i];
    }
    extreme += std::abs(sum) >= threshold;
  }
  return {result.statistic, static_cast<double>(extreme) / static_cast<double>(resamples + 1)};
}

}  // namespace mtl::evaluate
