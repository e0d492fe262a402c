#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <vector>

#include "mtl/evaluate/sample.hpp"

namespace mtl::evaluate_detail {

/// The `share` quantile of sorted values, between neighbours in proportion (as numpy's default).
inline double quantile_of_sorted(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  if (below + 1 >= sorted.size()) return sorted.back();
  return std::lerp(sorted[below], sorted[below + 1], place - static_cast<double>(below));
}

/// A whole number below `count`, each as likely (by rejection; std::uniform_int_distribution
/// differs from one standard library to the next).
inline size_t draw_below(std::mt19937_64& random, uint64_t count) {
  const uint64_t rest = (~uint64_t{0} % count + 1) % count;
  while (true) {
    const uint64_t bits = random();
    if (bits <= ~uint64_t{0} - rest) return static_cast<size_t>(bits % count);
  }
}

}  // namespace mtl::evaluate_detail

namespace mtl::evaluate {

/// Percentile bootstrap interval of a statistic of n >= 2 things that were drawn independently
/// (runs, or samples of a test set): `statistic` is given `resamples` times n places, drawn with
/// replacement, and the middle `level` of its values is the interval. The same seed gives the same
/// interval on every machine. For few things it is too narrow: by about a fifth for n = 5.
/// Efron, Ann. Stat. 7 (1979).
inline Interval bootstrap_interval(
    size_t things, const std::function<double(std::span<const size_t> places)>& statistic,
    double level = 0.95, int64_t resamples = 9'999, uint64_t seed = 0) {
  evaluate_detail::require_level(level);
  if (things < 2)
    throw Error("statistics: the bootstrap needs at least 2 values, found {}", things);
  if (resamples < 1) throw Error("statistics: resamples must be at least 1, found {}", resamples);
  std::mt19937_64 random(seed);
  std::vector<size_t> places(things);
  std::vector<double> found(static_cast<size_t>(resamples));
  for (double& value : found) {
    for (size_t& place : places) place = evaluate_detail::draw_below(random, things);
    value = statistic(places);
    if (!std::isfinite(value))
      throw Error(
          "statistics: the bootstrap's statistic is {} for one resample; give one that is "
          "finite for all",
          value);
  }
  std::sort(found.begin(), found.end());
  return {evaluate_detail::quantile_of_sorted(found, (1 - level) / 2),
          evaluate_detail::quantile_of_sorted(found, (1 + level) / 2)};
}

/// The same for the mean difference of pairs, first - second: two given models on the samples of
/// one test set, what each reached on each sample.
inline Interval paired_bootstrap_interval(std::span<const double> first,
                                          std::span<const double> second, double level = 0.95,
                                          int64_t resamples = 9'999, uint64_t seed = 0) {
  const std::vector<double> change =
      evaluate_detail::differences(first, second, 2, "the paired bootstrap");
  const auto mean_of = [&](std::span<const size_t> places) {
    double sum = 0;
    for (const size_t place : places) sum += change[place];
    return sum / static_cast<double>(places.size());
  };
  return bootstrap_interval(change.size(), mean_of, level, resamples, seed);
}

}  // namespace mtl::evaluate
