#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/evaluate/tuning/median_rule.hpp"
#include "mtl/evaluate/tuning/successive_halving.hpp"

using namespace mtl::evaluate;
using mtl::Better;

namespace {

TuningTrial with_reports(int64_t number, TrialState state, std::vector<double> scores,
                         int64_t every = 1) {
  TuningTrial trial{.trial = number, .values = {}, .state = state};
  for (size_t i = 0; i < scores.size(); ++i)
    trial.reports.push_back({static_cast<int64_t>(i + 1) * every, scores[i]});
  return trial;
}

}  // namespace

TEST_CASE("MedianRule: stops what is worse than the median of means up to the same step") {
  std::vector<TuningTrial> others;
  for (int n = 0; n < 5; ++n)  // means up to step 2: 1, 2, 3, 4, 5
    others.push_back(with_reports(n, TrialState::finished, {n + 1.5, n + 0.5, -100}));
  others.push_back(with_reports(5, TrialState::stopped, {0, 0}));
  const MedianRule rule;
  CHECK(rule(with_reports(6, TrialState::running, {4, 3.1}), others, Better::lower));
  CHECK_FALSE(rule(with_reports(6, TrialState::running, {4, 3}), others, Better::lower));
  CHECK_FALSE(rule(with_reports(6, TrialState::running, {2.5, 9}), others, Better::lower));
  CHECK(rule(with_reports(6, TrialState::running, {2, 2.9}), others, Better::higher));
  CHECK_FALSE(rule(with_reports(6, TrialState::running, {2, 3.1}), others, Better::higher));
  CHECK_FALSE(MedianRule{.after_steps = 2}(with_reports(6, TrialState::running, {9, 9}), others,
                                           Better::lower));
  CHECK_FALSE(MedianRule{.after_trials = 6}(with_reports(6, TrialState::running, {9, 9}), others,
                                            Better::lower));
}

TEST_CASE("SuccessiveHalving: at each rung the best third goes on") {
  std::vector<TuningTrial> others;
  for (int n = 0; n < 8; ++n)  // eight came to step 3, with 0 ... 7
    others.push_back(with_reports(n, TrialState::stopped, {0, 0, static_cast<double>(n)}));
  const SuccessiveHalving rule{.first_step = 3};
  const auto stops = [&](std::vector<double> scores, Better better = Better::lower) {
    return rule(with_reports(8, TrialState::running, std::move(scores)), others, better);
  };
  CHECK_FALSE(stops({9, 9}));             // before the first rung
  CHECK_FALSE(stops({9, 9, 2.5 - 0.5}));  // as good as the third best of nine
  CHECK(stops({0, 0, 2.5}));
  CHECK_FALSE(stops({9, 9, 9, 9}));  // between rungs
  CHECK(stops({0, 0, std::nan("")}));
  CHECK_FALSE(stops({0, 0, 6}, Better::higher));
  CHECK(stops({0, 0, 4.5}, Better::higher));
}

TEST_CASE("SuccessiveHalving: rungs are met by reports that come seldom, each once") {
  const std::vector<TuningTrial> others{with_reports(0, TrialState::finished, {1, 1, 1}, 4)};
  const SuccessiveHalving rule{.first_step = 2, .reduction = 2};
  const auto stops = [&](std::vector<double> scores) {
    return rule(with_reports(1, TrialState::running, std::move(scores), 4), others, Better::lower);
  };
  CHECK(stops({2}));              // step 4, beyond the rungs 2 and 4
  CHECK(stops({0, 2}));           // step 8
  CHECK_FALSE(stops({0, 0, 2}));  // step 12: the next rung is 16
  CHECK_FALSE(stops({1}));
}

TEST_CASE("SuccessiveHalving: Error: steps that do not grow") {
  const auto running = with_reports(0, TrialState::running, {1});
  CHECK(contains(error_text([&] { SuccessiveHalving{.reduction = 1}(running, {}, Better::lower); }),
                 "reduction = 1"));
}
