#pragma once

#include <cstdint>
#include <span>

/// Did it help, or was it luck? Means, intervals and paired tests over a handful of runs.
/// Pure functions over plain numbers: they know no network and no tensor.
/// Every function throws mtl::Error for samples too short for it, for samples of unequal length
/// where pairs are asked for, for values that are not finite and for a level outside (0, 1).
namespace mtl::evaluate {

struct Interval {
  double low = 0, high = 0;
};

/// What a test found: its statistic and the two-sided p-value.
struct TestResult {
  double statistic = 0, p_value = 1;
};

/// The difference first - second of paired runs, with Student's interval and test.
struct PairedDifference {
  double mean = 0;                ///< mean of first[i] - second[i]
  double standard_deviation = 0;  ///< of the differences
  Interval interval;              ///< for the mean difference
  double t = 0;                   ///< +-infinity when all differences are equal and not zero
  int64_t degrees_of_freedom = 0;
  double p_value = 1;  ///< 1 when all differences are zero
};

/// Arithmetic mean of n >= 1 values.
double mean(std::span<const double> values);

/// Sample standard deviation (divides by n - 1), n >= 2.
double standard_deviation(std::span<const double> values);

/// Student's interval for the mean of n >= 2 independent values; at `level` = 0.95 it covers the
/// true mean 95 times in 100 when the values are normal.
Interval confidence_interval(std::span<const double> values, double level = 0.95);

/// Wilson's interval for a proportion of `successes` in `trials` >= 1: an accuracy over one test
/// set. Unlike the textbook +-1.96 sqrt(p(1-p)/n) it stays inside [0, 1] and holds near the ends.
/// Wilson, J. Am. Stat. Assoc. 22 (1927).
Interval proportion_interval(int64_t successes, int64_t trials, double level = 0.95);

/// Paired t-test of mean(first - second) = 0, n >= 2. The pairs are what two methods reached under
/// the same seeds (or splits): pairing removes the luck that both share.
PairedDifference paired_t_test(std::span<const double> first, std::span<const double> second,
                               double level = 0.95);

/// Wilcoxon's signed-rank test: are the differences symmetric around zero? Needs no normality.
/// Statistic: the smaller of the two rank sums. Zero differences are dropped and ties share their
/// mean rank. Up to 50 differences the p-value is exact, given the ranks found; beyond, the normal
/// approximation with tie correction. No difference at all gives p = 1.
TestResult wilcoxon_signed_rank(std::span<const double> first, std::span<const double> second);

/// Sign-flip permutation test of the mean difference; needs symmetry only. Statistic: the mean
/// difference. All 2^n flips are counted up to n = 20; beyond, `resamples` random ones (and the
/// observed one, so that p is never zero) drawn from `seed`.
TestResult permutation_test(std::span<const double> first, std::span<const double> second,
                            int64_t resamples = 99'999, uint64_t seed = 0);

/// McNemar's exact test for two classifiers on the same test set: `only_first` samples only the
/// first gets right, `only_second` only the second. Statistic: the smaller count. McNemar,
/// Psychometrika 12 (1947).
TestResult mcnemar_test(int64_t only_first, int64_t only_second);

/// P(T <= t) for Student's T with `degrees_of_freedom` > 0.
double student_t_cdf(double t, double degrees_of_freedom);

/// The c > 0 with P(|T| <= c) = level.
double student_t_two_sided(double level, double degrees_of_freedom);

}  // namespace mtl::evaluate
