#include "mtl/evaluate/evaluate.hpp"

#include <catch.hpp>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "mtl/core/error.hpp"

namespace {

namespace evaluate = mtl::evaluate;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

/// Values that scipy gives for the same samples (tests/golden/statistics.json names its version).
nlohmann::json golden() {
  std::ifstream file(MTL_SOURCE_DIR "/tests/golden/statistics.json");
  REQUIRE(file);
  return nlohmann::json::parse(file);
}

void check(double found, double expected) {
  CHECK_THAT(found, WithinRel(expected, 1e-9) || WithinAbs(expected, 1e-13));
}

void check(evaluate::Interval found, const nlohmann::json& expected) {
  check(found.low, expected[0].get<double>());
  check(found.high, expected[1].get<double>());
}

}  // namespace

TEST_CASE("statistics: means, intervals and paired tests agree with scipy") {
  const auto all = golden();
  for (const auto& sample : all["samples"]) {
    const auto first = sample["first"].get<std::vector<double>>();
    const auto second = sample["second"].get<std::vector<double>>();
    CAPTURE(first, second);
    check(evaluate::mean(first), sample["mean"]);
    check(evaluate::standard_deviation(first), sample["standard_deviation"]);
    check(evaluate::confidence_interval(first), sample["interval95"]);
    check(evaluate::confidence_interval(first, 0.99), sample["interval99"]);

    const auto paired = evaluate::paired_t_test(first, second);
    const auto& expected = sample["paired"];
    check(paired.mean, expected["mean"]);
    check(paired.standard_deviation, expected["standard_deviation"]);
    check(paired.t, expected["t"]);
    check(paired.p_value, expected["p_value"]);
    check(paired.interval, expected["interval"]);
    CHECK(paired.degrees_of_freedom == static_cast<int64_t>(first.size()) - 1);

    if (sample.contains("wilcoxon")) {
      const auto wilcoxon = evaluate::wilcoxon_signed_rank(first, second);
      check(wilcoxon.statistic, sample["wilcoxon"]["statistic"]);
      check(wilcoxon.p_value, sample["wilcoxon"]["p_value"]);
    }
    if (sample.contains("permutation")) {
      const auto permutation = evaluate::permutation_test(first, second);
      check(permutation.statistic, sample["permutation"]["statistic"]);
      check(permutation.p_value, sample["permutation"]["p_value"]);
    }
  }
}

TEST_CASE("statistics: proportions, McNemar's test and Student's distribution agree with scipy") {
  const auto all = golden();
  for (const auto& row : all["proportions"]) {
    CAPTURE(row.dump());
    check(evaluate::proportion_interval(row["successes"], row["trials"], row["level"]),
          row["interval"]);
  }
  for (const auto& row : all["mcnemar"]) {
    CAPTURE(row.dump());
    check(evaluate::mcnemar_test(row["only_first"], row["only_second"]).p_value, row["p_value"]);
  }
  for (const auto& row : all["student_t"]) {
    CAPTURE(row.dump());
    check(evaluate::student_t_cdf(row["t"], row["degrees_of_freedom"]), row["cdf"]);
  }
  for (const auto& row : all["two_sided"]) {
    CAPTURE(row.dump());
    check(evaluate::student_t_two_sided(row["level"], row["degrees_of_freedom"]), row["value"]);
  }
}

TEST_CASE("statistics: exchanging the samples changes the sign and nothing else") {
  const std::vector<double> first{0.81, 0.84, 0.80, 0.85, 0.79},
      second{0.80, 0.80, 0.81, 0.82, 0.77};
  const auto there = evaluate::paired_t_test(first, second);
  const auto back = evaluate::paired_t_test(second, first);
  check(back.mean, -there.mean);
  check(back.t, -there.t);
  check(back.p_value, there.p_value);
  check(back.interval.low, -there.interval.high);
  check(evaluate::wilcoxon_signed_rank(second, first).p_value,
        evaluate::wilcoxon_signed_rank(first, second).p_value);
  check(evaluate::permutation_test(second, first).p_value,
        evaluate::permutation_test(first, second).p_value);
}

TEST_CASE("statistics: equal runs are no evidence, a constant difference is the strongest") {
  const std::vector<double> same{0.5, 0.25, 0.75}, more{1.5, 1.25, 1.75};
  CHECK(evaluate::paired_t_test(same, same).p_value == 1);
  CHECK(evaluate::paired_t_test(same, same).t == 0);
  CHECK(evaluate::wilcoxon_signed_rank(same, same).p_value == 1);
  CHECK(evaluate::permutation_test(same, same).p_value == 1);
  CHECK(evaluate::mcnemar_test(0, 0).p_value == 1);

  const auto constant = evaluate::paired_t_test(more, same);
  CHECK(constant.t == std::numeric_limits<double>::infinity());
  CHECK(constant.p_value == 0);
  CHECK(constant.interval.low == 1);
  CHECK(evaluate::permutation_test(more, same).p_value == 0.25);  // 2 of 2^3 sign patterns
}

TEST_CASE("statistics: the 95 % interval covers the true mean 95 times in 100") {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal(2.0, 5.0);
  int covered = 0;
  constexpr int rounds = 4000;
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> sample(4);
    for (double& value : sample) value = normal(random);
    const auto interval = evaluate::confidence_interval(sample);
    covered += interval.low <= 2 && 2 <= interval.high;
  }
  CHECK_THAT(static_cast<double>(covered) / rounds, WithinAbs(0.95, 0.012));
}

TEST_CASE("statistics: resampled permutations approach the t-test and repeat by seed") {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  std::vector<double> first(40), second(40);
  for (size_t i = 0; i < first.size(); ++i) {
    first[i] = normal(random) + 0.4;
    second[i] = normal(random);
  }
  const auto once = evaluate::permutation_test(first, second, 20'000, 1);
  CHECK(once.p_value == evaluate::permutation_test(first, second, 20'000, 1).p_value);
  CHECK_THAT(once.p_value, WithinAbs(evaluate::paired_t_test(first, second).p_value, 0.015));
}

TEST_CASE("statistics: samples that cannot answer are refused") {
  const std::vector<double> none, one{1}, two{1, 2}, three{1, 2, 3};
  const std::vector<double> broken{1, std::nan("")};
  CHECK_THROWS_AS(evaluate::mean(none), mtl::Error);
  CHECK_THROWS_AS(evaluate::standard_deviation(one), mtl::Error);
  CHECK_THROWS_AS(evaluate::confidence_interval(one), mtl::Error);
  CHECK_THROWS_AS(evaluate::mean(broken), mtl::Error);
  CHECK_THROWS_AS(evaluate::paired_t_test(two, three), mtl::Error);
  CHECK_THROWS_AS(evaluate::wilcoxon_signed_rank(two, three), mtl::Error);
  CHECK_THROWS_AS(evaluate::permutation_test(two, two, 0), mtl::Error);
  CHECK_THROWS_AS(evaluate::confidence_interval(two, 1.0), mtl::Error);
  CHECK_THROWS_AS(evaluate::proportion_interval(3, 2), mtl::Error);
  CHECK_THROWS_AS(evaluate::mcnemar_test(-1, 2), mtl::Error);
  CHECK_THROWS_AS(evaluate::student_t_cdf(1, 0), mtl::Error);
}

TEST_CASE("statistics: what only rounding sets apart is equal, in any unit") {
  const std::vector<double> sums(5, 0.1 + 0.2), same(5, 0.3);
  CHECK(evaluate::paired_t_test(sums, same).p_value == 1);
  CHECK(evaluate::wilcoxon_signed_rank(sums, same).p_value == 1);
  CHECK(evaluate::permutation_test(sums, same).p_value == 1);
  std::mt19937 random(5);
  for (int round = 0; round < 100; ++round) {
    std::vector<double> first, second, first_percent, second_percent;
    for (size_t i = 0; i < 9; ++i) {
      first_percent.push_back(70 + random() % 20);
      second_percent.push_back(70 + random() % 20);
      first.push_back(first_percent.back() / 100);
      second.push_back(second_percent.back() / 100);
    }
    const auto share = evaluate::wilcoxon_signed_rank(first, second),
               percent = evaluate::wilcoxon_signed_rank(first_percent, second_percent);
    REQUIRE(share.statistic == percent.statistic);
    REQUIRE(share.p_value == percent.p_value);
  }
}
