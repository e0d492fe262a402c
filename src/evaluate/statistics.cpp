#include "mtl/evaluate/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <random>
#include <unsupported/Eigen/SpecialFunctions>
#include <vector>

#include "mtl/core/error.hpp"

namespace mtl::evaluate {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr size_t most_exact_ranks = 50;  // 2^50 sign patterns still count exactly in a double
constexpr size_t most_exact_permutations = 20;  // about a million sign patterns

void require_sample(std::span<const double> values, size_t at_least, const char* asked) {
  if (values.size() < at_least)
    throw Error("statistics: {} needs at least {} values, found {}", asked, at_least,
                values.size());
  for (size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw Error("statistics: {} needs finite values, found {} at position {}", asked, values[i],
                  i);
}

void require_level(double level) {
  if (!(level > 0 && level < 1))
    throw Error("statistics: a confidence level lies between 0 and 1, found {}", level);
}

std::vector<double> differences(std::span<const double> first, std::span<const double> second,
                                size_t at_least, const char* asked) {
  if (first.size() != second.size())
    throw Error("statistics: {} compares pairs, found {} and {} values", asked, first.size(),
                second.size());
  require_sample(first, at_least, asked);
  require_sample(second, at_least, asked);
  std::vector<double> result(first.size());
  std::transform(first.begin(), first.end(), second.begin(), result.begin(), std::minus<>());
  return result;
}

/// P(|T| > t), accurate in the far tail, where 1 - cdf would cancel.
double student_t_two_sided_tail(double t, double degrees_of_freedom) {
  if (std::isinf(t)) return 0;
  return Eigen::numext::betainc(degrees_of_freedom / 2, 0.5,
                                degrees_of_freedom / (degrees_of_freedom + t * t));
}

double normal_two_sided_tail(double z) { return std::erfc(std::abs(z) / std::numbers::sqrt2); }

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

/// Ranks of |values| from 1, ties sharing their mean rank.
std::vector<double> ranks_of_magnitudes(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return std::abs(values[a]) < std::abs(values[b]); });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    while (end < order.size() && std::abs(values[order[end]]) == std::abs(values[order[begin]]))
      ++end;
    const double shared = static_cast<double>(begin + 1 + end) / 2;
    for (; begin < end; ++begin) ranks[order[begin]] = shared;
  }
  return ranks;
}

/// P(rank sum <= `smaller`) over all sign patterns. Doubled ranks are whole numbers even with ties,
/// so the distribution is a convolution over whole numbers.
double exact_lower_tail(const std::vector<double>& ranks, double smaller) {
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

double approximate_p_value(const std::vector<double>& ranks, double smaller) {
  const auto n = static_cast<double>(ranks.size());
  // The variance of the rank sum is a quarter of the sum of squared ranks, ties included.
  const double squares = std::inner_product(ranks.begin(), ranks.end(), ranks.begin(), 0.0);
  return normal_two_sided_tail((smaller - n * (n + 1) / 4) / std::sqrt(squares / 4));
}

/// log of the binomial coefficient; lgamma_r would be needed only if the sign were of interest.
double log_choose(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

}  // namespace

double mean(std::span<const double> values) {
  require_sample(values, 1, "the mean");
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(std::span<const double> values) {
  require_sample(values, 2, "the standard deviation");
  const double centre = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - centre) * (value - centre);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

Interval confidence_interval(std::span<const double> values, double level) {
  require_level(level);
  const double n = static_cast<double>(values.size());
  const double deviation = standard_deviation(values);
  const double half = student_t_two_sided(level, n - 1) * deviation / std::sqrt(n);
  const double centre = mean(values);
  return {centre - half, centre + half};
}

Interval proportion_interval(int64_t successes, int64_t trials, double level) {
  require_level(level);
  if (trials < 1 || successes < 0 || successes > trials)
    throw Error(
        "statistics: a proportion needs 0 <= successes <= trials and a trial, found {} of {}",
        successes, trials);
  const double n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  const double z = invert_tail(normal_two_sided_tail, 1 - level);
  const double centre = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  // The ends are exact in theory; rounding must not leave [0, 1] or miss it.
  return {successes == 0 ? 0 : std::max(0.0, centre - half),
          successes == trials ? 1 : std::min(1.0, centre + half)};
}

PairedDifference paired_t_test(std::span<const double> first, std::span<const double> second,
                               double level) {
  const std::vector<double> change = differences(first, second, 2, "the paired t-test");
  PairedDifference result;
  result.mean = mean(change);
  result.standard_deviation = standard_deviation(change);
  result.interval = confidence_interval(change, level);
  result.degrees_of_freedom = static_cast<int64_t>(change.size()) - 1;
  const double error = result.standard_deviation / std::sqrt(static_cast<double>(change.size()));
  if (error > 0)
    result.t = result.mean / error;
  else if (result.mean != 0)
    result.t = std::copysign(infinity, result.mean);
  result.p_value =
      student_t_two_sided_tail(result.t, static_cast<double>(result.degrees_of_freedom));
  return result;
}

TestResult wilcoxon_signed_rank(std::span<const double> first, std::span<const double> second) {
  std::vector<double> change = differences(first, second, 1, "the signed-rank test");
  std::erase(change, 0.0);
  if (change.empty()) return {0, 1};
  const std::vector<double> ranks = ranks_of_magnitudes(change);
  double positive = 0, negative = 0;
  for (size_t i = 0; i < change.size(); ++i) (change[i] > 0 ? positive : negative) += ranks[i];
  const double smaller = std::min(positive, negative);
  const double p_value = ranks.size() <= most_exact_ranks ? 2 * exact_lower_tail(ranks, smaller)
                                                          : approximate_p_value(ranks, smaller);
  return {smaller, std::min(1.0, p_value)};
}

TestResult permutation_test(std::span<const double> first, std::span<const double> second,
                            int64_t resamples, uint64_t seed) {
  if (resamples < 1) throw Error("statistics: resamples must be at least 1, found {}", resamples);
  const std::vector<double> change = differences(first, second, 1, "the permutation test");
  const double observed = std::accumulate(change.begin(), change.end(), 0.0);
  double magnitude = 0;
  for (const double value : change) magnitude += std::abs(value);
  // Sums of the same numbers in another order of signs differ by rounding: those count as equal.
  const double threshold = std::abs(observed) - 1e-12 * magnitude;
  const TestResult result{observed / static_cast<double>(change.size()), 1};

  if (change.size() <= most_exact_permutations) {
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

TestResult mcnemar_test(int64_t only_first, int64_t only_second) {
  if (only_first < 0 || only_second < 0)
    throw Error("statistics: McNemar's test needs counts, found {} and {}", only_first,
                only_second);
  const double n = static_cast<double>(only_first + only_second);
  const int64_t smaller = std::min(only_first, only_second);
  double tail = 0;
  for (int64_t k = 0; k <= smaller; ++k)
    tail += std::exp(log_choose(n, static_cast<double>(k)) - n * std::numbers::ln2);
  return {static_cast<double>(smaller), std::min(1.0, 2 * tail)};
}

double student_t_cdf(double t, double degrees_of_freedom) {
  if (!(degrees_of_freedom > 0))
    throw Error("statistics: degrees of freedom must be positive, found {}", degrees_of_freedom);
  const double tail = student_t_two_sided_tail(t, degrees_of_freedom) / 2;
  return t > 0 ? 1 - tail : tail;
}

double student_t_two_sided(double level, double degrees_of_freedom) {
  require_level(level);
  if (!(degrees_of_freedom > 0))
    throw Error("statistics: degrees of freedom must be positive, found {}", degrees_of_freedom);
  return invert_tail([&](double t) { return student_t_two_sided_tail(t, degrees_of_freedom); },
                     1 - level);
}

}  // namespace mtl::evaluate
