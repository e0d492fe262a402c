#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/formatted.hpp"
#include "mtl/evaluate/effect_size.hpp"
#include "mtl/evaluate/paired_t_test.hpp"
#include "mtl/task/metric.hpp"

namespace mtl::evaluate {

enum class Verdict {
  helps,
  harms,          // negative transfer
  no_difference,  // none that so many runs can show
  undecided,      // a run gave no finite value, or there is one run only
};

inline std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::helps:
      return "helps";
    case Verdict::harms:
      return "harms";
    case Verdict::no_difference:
      return "no difference";
    case Verdict::undecided:
      break;
  }
  return "undecided";
}

/// How many pairs it takes for the paired t-test at `level` to find an effect of that size
/// (`effect_size`) with the chance `power`: the normal approximation with Guenther's correction,
/// right within one or two pairs. Guenther, Am. Stat. 35 (1981). None where the effect is zero.
inline std::optional<int64_t> pairs_needed(double effect, double level = 0.95, double power = 0.8) {
  evaluate_detail::require_level(level);
  evaluate_detail::require_level(power);
  if (!(std::abs(effect) > 0)) return {};
  const auto quantile = [](double two_sided_tail) {
    return evaluate_detail::invert_tail(evaluate_detail::normal_two_sided_tail, two_sided_tail);
  };
  // With power below one half the quantile has the other sign.
  const double of_level = quantile(1 - level);
  const double of_power = power >= 0.5 ? quantile(2 * (1 - power)) : -quantile(2 * power);
  const double pairs = std::pow((of_level + of_power) / effect, 2) + of_level * of_level / 2;
  constexpr double most = 1e9;
  return static_cast<int64_t>(std::ceil(std::clamp(pairs, 2.0, most)));
}

/// Whether one method is better than another, in a word, from what both reached under the same
/// seeds.
struct Judgement {
  Verdict verdict = Verdict::undecided;
  PairedDifference difference;  ///< first - second
  double effect = 0;            ///< effect_size
  double p_value = 1;           ///< p_value_of_steps, corrected where there are several
  int64_t runs = 0;
  std::optional<int64_t> more_runs;  ///< to find a difference such as this; no_difference only

  /// "helps", or "no difference that 5 runs can show; about 23 more would be needed".
  std::string text() const {
    if (verdict == Verdict::undecided)
      return runs < 2 ? "undecided: one run shows nothing"
                      : "undecided: a run gave no finite value";
    if (verdict != Verdict::no_difference) return std::string(name_of(verdict));
    const std::string none = formatted("no difference that {} runs can show", runs);
    if (!more_runs) return none;
    constexpr int64_t many = 1000;
    if (*more_runs > many) return formatted("{}, nor {} more", none, many);
    return formatted("{}; about {} more would be needed", none, *more_runs);
  }
};

/// The p-value of the paired t-test for values that are known up to a step only, as an accuracy of
/// 100 samples is: the rounding of a difference by steps of q has the variance q^2 / 6, which the
/// test adds to what it saw. Else two runs that gained one sample each would be the strongest
/// evidence. q is the smallest gap between values; without steps it is next to nothing.
inline double p_value_of_steps(std::span<const double> first, std::span<const double> second,
                               const PairedDifference& difference) {
  std::vector<double> values(first.begin(), first.end());
  values.insert(values.end(), second.begin(), second.end());
  std::sort(values.begin(), values.end());
  const double rounding = 1e-12 * std::max(std::abs(values.front()), std::abs(values.back()));
  double step = values.back() - values.front();
  for (size_t i = 1; i < values.size(); ++i)
    if (const double gap = values[i] - values[i - 1]; gap > rounding) step = std::min(step, gap);
  const double error = std::sqrt((std::pow(difference.standard_deviation, 2) + step * step / 6) /
                                 static_cast<double>(first.size()));
  if (!(error > 0)) return 1;
  return evaluate_detail::student_t_two_sided_tail(
      difference.mean / error, static_cast<double>(difference.degrees_of_freedom));
}

/// Judges first against second, n values each. `level` is that of the interval and of the verdict.
/// With several comparisons the p-value that counts is a corrected one (see holm).
inline Judgement judge(std::span<const double> first, std::span<const double> second, Better better,
                       double level = 0.95, std::optional<double> corrected_p_value = {}) {
  evaluate_detail::require_level(level);
  Judgement result;
  result.runs = static_cast<int64_t>(first.size());
  const auto finite = [](double value) { return std::isfinite(value); };
  if (first.size() != second.size())
    throw Error("statistics: a verdict compares pairs, found {} and {} values", first.size(),
                second.size());
  if (first.size() < 2 || !std::all_of(first.begin(), first.end(), finite) ||
      !std::all_of(second.begin(), second.end(), finite))
    return result;
  result.difference = paired_t_test(first, second, level);
  result.effect = effect_size(first, second);
  result.p_value =
      corrected_p_value ? *corrected_p_value : p_value_of_steps(first, second, result.difference);
  if (result.p_value <= 1 - level) {
    const bool higher = result.difference.mean > 0;
    result.verdict = higher == (better == Better::higher) ? Verdict::helps : Verdict::harms;
    return result;
  }
  result.verdict = Verdict::no_difference;
  if (const auto pairs = pairs_needed(result.effect, level))
    result.more_runs = std::max<int64_t>(1, *pairs - result.runs);
  return result;
}

}  // namespace mtl::evaluate
