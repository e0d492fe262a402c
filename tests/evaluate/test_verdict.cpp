#include <random>

#include "catch.hpp"
#include "golden.hpp"
#include "mtl/evaluate/verdict.hpp"

using namespace mtl::evaluate;
using mtl::Better;

TEST_CASE("pairs_needed: the power of the t-test as statsmodels gives it") {
  for (const auto& entry : golden("comparisons.json")["power"]) {
    const auto pairs = pairs_needed(entry["effect"].get<double>(), entry["level"].get<double>(),
                                    entry["power"].get<double>());
    REQUIRE(pairs);
    CHECK(std::abs(static_cast<double>(*pairs) - entry["pairs"].get<double>()) < 2);
  }
  CHECK_FALSE(pairs_needed(0));
  CHECK(pairs_needed(std::numeric_limits<double>::infinity()) == 2);
}

TEST_CASE("judge: a clear difference helps or harms by the metric's direction") {
  const std::vector<double> high{0.91, 0.92, 0.90, 0.93, 0.92}, low{0.81, 0.80, 0.82, 0.81, 0.83};
  CHECK(judge(high, low, Better::higher).verdict == Verdict::helps);
  CHECK(judge(high, low, Better::lower).verdict == Verdict::harms);
  CHECK(judge(high, low, Better::lower).text() == "harms");
  CHECK(judge(high, low, Better::higher, 0.95, 0.2).verdict == Verdict::no_difference);
}

TEST_CASE("judge: where nothing shows, how many runs more it would take") {
  const std::vector<double> first{1.0, 2.0, 1.5, 2.5, 1.2}, second{1.1, 1.7, 1.6, 2.4, 1.1};
  const auto judgement = judge(first, second, Better::lower);
  CHECK(judgement.verdict == Verdict::no_difference);
  REQUIRE(judgement.more_runs);
  CHECK(*judgement.more_runs == *pairs_needed(judgement.effect) - 5);
  CHECK(judgement.text() == "no difference that 5 runs can show; about " +
                                std::to_string(*judgement.more_runs) + " more would be needed");
  const auto equal = judge(first, first, Better::lower);
  CHECK(equal.verdict == Verdict::no_difference);
  CHECK(equal.text() == "no difference that 5 runs can show");
}

TEST_CASE(
    "judge: a step of a coarse metric in every run is no proof, where steps are small it is") {
  // Two runs that each got one sample of a hundred more.
  CHECK(judge(std::vector{0.91, 0.93}, std::vector{0.90, 0.92}, Better::higher).verdict ==
        Verdict::no_difference);
  const std::vector<double> high{0.910, 0.930, 0.912, 0.921, 0.915};
  std::vector<double> low = high;
  for (double& value : low) value -= 0.02;
  CHECK(judge(high, low, Better::higher).verdict == Verdict::helps);
  // Without steps it is the t-test.
  const std::vector<double> first{0.31, 0.5224, 0.7353, 0.129}, second{0.2, 0.4123, 0.5771, 0.113};
  CHECK(judge(first, second, Better::lower).p_value ==
        Approx(paired_t_test(first, second).p_value).epsilon(0.03));
}

TEST_CASE("judge: one run, or one that gave no number, decides nothing") {
  CHECK(judge(std::vector{1.0}, std::vector{2.0}, Better::lower).verdict == Verdict::undecided);
  const auto lost = judge(std::vector{1.0, std::nan("")}, std::vector{2.0, 2.0}, Better::lower);
  CHECK(lost.verdict == Verdict::undecided);
  CHECK(lost.text() == "undecided: a run gave no finite value");
  CHECK_THROWS_AS(judge(std::vector{1.0}, std::vector{2.0, 1.0}, Better::lower), mtl::Error);
}

TEST_CASE("judge: a thousand comparisons of equals raise no more false alarms than they may") {
  std::mt19937_64 random(11);
  std::normal_distribution<double> normal;
  int alarms = 0;
  for (int comparison = 0; comparison < 1000; ++comparison) {
    std::vector<double> first(5), second(5);
    for (double& value : first) value = normal(random);
    for (double& value : second) value = normal(random);
    alarms += judge(first, second, Better::lower).verdict != Verdict::no_difference;
  }
  CHECK(alarms < 50 + 3 * 7);  // 5 %, three standard deviations above
}

TEST_CASE("judge: what rounding alone sets apart is no difference") {
  const std::vector<double> sums(5, 0.1 + 0.2), same(5, 0.3);
  CHECK(judge(sums, same, Better::higher).verdict == Verdict::no_difference);
  // Differences whose mean is 0 but for rounding ask for no more runs, as where they are whole.
  const std::vector<double> first{0.71, 0.76, 0.83, 0.72}, second{0.74, 0.73, 0.78, 0.77};
  const std::vector<double> whole{71, 76, 83, 72}, others{74, 73, 78, 77};
  CHECK(judge(whole, others, Better::higher).text() == "no difference that 4 runs can show");
  CHECK(judge(first, second, Better::higher).text() == "no difference that 4 runs can show");
}
