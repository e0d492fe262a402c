#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "mtl/core/order.hpp"
#include "mtl/evaluate/sample.hpp"
#include "mtl/evaluate/student_t.hpp"

namespace mtl::evaluate_detail {

// 2^50 sign patterns still count exactly in a double.
inline constexpr size_t most_exact_ranks = 50;

/// Ranks of |values| from 1, ties sharing their mean rank: also those that only rounding sets
/// apart, as 0.3 - 0.2 and 0.2 - 0.1.
inline std::vector<double> ranks_of_magnitudes(const std::vector<double>& values,
                                               const std::vector<double>& rounding) {
  std::vector<double> magnitudes(values), ranks(values.size());
  for (double& value : magnitudes) value = std::abs(value);
  const std::vector<size_t> order = rising_order(magnitudes);
  for (size_t k = 1; k < order.size(); ++k) {
    const size_t below = order[k - 1], at = order[k];
    if (magnitudes[at] - magnitudes[below] <= rounding[at] + rounding[below])
      magnitudes[at] = magnitudes[below];
  }
  for_each_tie(magnitudes, order, [&](size_t begin, size_t end) {
    for (size_t k = begin; k < end; ++k) ranks[order[k]] = static_cast<double>(begin + 1 + end) / 2;
  });
  return ranks;
}

/// P(rank sum <= `smaller`) over all sign patterns. Doubled ranks are whole numbers even with ties,
/// so the distribution is a convolution over whole numbers.
inline double exact_lower_tail(const std::vector<double>& ranks, double smaller) {
  std::vector<double> probability{1.0};
  for (const double rank : ranks) {
    const auto step = static_cast<size_t>(std::lround(2 * rank));
    std::vector<double> next(probability.size() + step, 0.0);
    for (size_t sum = 0; sum < probability.size(); ++sum) {
      next[sum] += probability[sum] / 2;
      next[sum + step] += probability[sum] / 2;
    }
    probability = std::move(next);
  }
  const auto last = static_cast<std::ptrdiff_t>(std::lround(2 * smaller)) + 1;
  return std::accumulate(probability.begin(), probability.begin() + last, 0.0);
}

inline double approximate_p_value(const std::vector<double>& ranks, double smaller) {
  const auto n = static_cast<double>(ranks.size());
  // The variance of the rank sum is a quarter of the sum of squared ranks, ties included.
  const double squares = std::inner_product(ranks.begin(), ranks.end(), ranks.begin(), 0.0);
  return normal_two_sided_tail((smaller - n * (n + 1) / 4) / std::sqrt(squares / 4));
}

}  // namespace mtl::evaluate_detail

namespace mtl::evaluate {

/// Wilcoxon's signed-rank test: are the differences symmetric around zero? Needs no normality.
/// Statistic: the smaller of the two rank sums. Zero differences are dropped and ties share their
/// mean rank. Up to 50 differences the p-value is exact, given the ranks found; beyond, the normal
/// approximation with tie correction. No difference at all gives p = 1.
inline TestResult wilcoxon_signed_rank(std::span<const double> first,
                                       std::span<const double> second) {
  std::vector<double> change =
      evaluate_detail::differences(first, second, 1, "the signed-rank test");
  std::vector<double> rounding;
  for (size_t i = 0; i < change.size(); ++i)
    if (change[i] != 0) rounding.push_back(evaluate_detail::rounding_of(first[i], second[i]));
  std::erase(change, 0.0);
  if (change.empty()) return {0, 1};
  const std::vector<double> ranks = evaluate_detail::ranks_of_magnitudes(change, rounding);
  double positive = 0, negative = 0;
  for (size_t i = 0; i < change.size(); ++i) (change[i] > 0 ? positive : negative) += ranks[i];
  const double smaller = std::min(positive, negative);
  const double p_value = ranks.size() <= evaluate_detail::most_exact_ranks
                             ? 2 * evaluate_detail::exact_lower_tail(ranks, smaller)
                             : evaluate_detail::approximate_p_value(ranks, smaller);
  return {smaller, std::min(1.0, p_value)};
}

}  // namespace mtl::evaluate
