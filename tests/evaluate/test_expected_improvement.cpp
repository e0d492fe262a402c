#include <cmath>
#include <numbers>
#include <set>

#include "catch.hpp"
#include "error_text.hpp"
#include "golden.hpp"
#include "mtl/evaluate/tuning/expected_improvement.hpp"
#include "mtl/evaluate/tuning/random_search.hpp"
#include "mtl/evaluate/tuning/tuner.hpp"

using namespace mtl::evaluate;

namespace {

double branin(const Candidate& candidate) {
  using std::numbers::pi;
  const double x = candidate.at("x"), y = candidate.at("y");
  const double bend = y - 5.1 / (4 * pi * pi) * x * x + 5 / pi * x - 6;
  return bend * bend + 10 * (1 - 1 / (8 * pi)) * std::cos(x) + 10;
}

const SearchSpace branin_space{{.name = "x", .low = -5, .high = 10},
                               {.name = "y", .low = 0, .high = 15}};

/// How far above the minimum the best trial is.
template <class Method>
double branin_regret(Method method, uint64_t seed) {
  Tuner tuner(branin_space, method, {.trials = 25, .seed = seed});
  while (const auto candidate = tuner.ask()) tuner.tell(*candidate, branin(*candidate));
  return tuner.best()->score - 0.397887357729738;
}

}  // namespace

TEST_CASE("log_expected_improvement: as by mpmath, far from the best too") {
  for (const auto& entry : golden("tuning.json")["improvement"]) {
    const auto expected = entry["logarithm"].get<double>();
    CHECK(log_expected_improvement(entry["mean"].get<double>(), entry["deviation"].get<double>(),
                                   entry["best"].get<double>()) ==
          Approx(expected).epsilon(1e-6).margin(1e-9));
  }
  CHECK(log_expected_improvement(1, 0, 3) == std::log(2));
}

TEST_CASE("ExpectedImprovement: nearer to Branin's minimum than random search, seed by seed") {
  for (const uint64_t seed : {1, 2, 3}) {
    const double found = branin_regret(ExpectedImprovement{.candidates = 300}, seed);
    CHECK(found < 0.1);
    CHECK(found < branin_regret(RandomSearch{}, seed));
  }
}

TEST_CASE("ExpectedImprovement: the highest where higher is better, among numbers and choices") {
  Tuner tuner({{.name = "rate", .low = 1e-4, .high = 1, .log = true},
               {.name = "layers", .low = 1, .high = 5, .whole = true},
               {.name = "kind", .choices = {"a", "b", "c"}}},
              ExpectedImprovement{.start = 6, .candidates = 300},
              {.better = mtl::Better::higher, .trials = 25, .seed = 4});
  while (const auto candidate = tuner.ask()) {
    const double log_rate = std::log10(candidate->at("rate")) + 2;
    const double off = candidate->at("layers") - 4;
    tuner.tell(*candidate, (candidate->text("kind") == "b" ? 1.0 : 0.0) - log_rate * log_rate -
                               0.1 * off * off);
  }
  CHECK(tuner.best()->candidate.text("kind") == "b");
  CHECK(tuner.best()->score > 0.95);
}

TEST_CASE("ExpectedImprovement: what runs is not asked for again, what failed is kept away from") {
  Tuner tuner(branin_space, ExpectedImprovement{.start = 5, .candidates = 300}, {.trials = 20});
  for (int n = 0; n < 8; ++n) {
    const auto candidate = tuner.ask();
    // The half with x below 2.5 does not train.
    tuner.tell(*candidate, candidate->at("x") < 2.5 ? std::nan("") : branin(*candidate));
  }
  std::set<double> asked;
  int good = 0;
  for (int n = 0; n < 6; ++n) {
    const double x = tuner.ask()->at("x");
    asked.insert(x);
    good += x >= 2;
  }
  CHECK(asked.size() == 6);
  CHECK(good >= 4);
}

TEST_CASE("expected_best: not the lucky one") {
  // A bowl around 0.5 with noise; far from it one score is better by luck than all.
  Tuner tuner({{.name = "x"}}, SobolSearch{}, {.trials = 40});
  CHECK_FALSE(expected_best(tuner));
  while (const auto candidate = tuner.ask()) {
    const double off = candidate->at("x") - 0.5;
    const double noise = 0.05 * std::sin(1000.0 * static_cast<double>(candidate->trial));
    tuner.tell(*candidate, candidate->trial == 7 ? -0.2 : 4 * off * off + noise);
  }
  CHECK(tuner.best()->candidate.trial == 7);
  const auto expected = expected_best(tuner);
  CHECK(std::abs(expected->candidate.at("x") - 0.5) < 0.15);
  CHECK(std::abs(expected->score) < 0.1);
}

TEST_CASE("ExpectedImprovement: Error: options that make no sense") {
  const auto text_of = [](ExpectedImprovement method) {
    return error_text([&] { Tuner(branin_space, method); });
  };
  CHECK(contains(text_of({.start = 1}), "start = 1"));
  CHECK(contains(text_of({.candidates = 0}), "candidates = 0"));
}

TEST_CASE("ExpectedImprovement: a trial that ran away does not make it blind") {
  for (const uint64_t seed : {0, 1, 2}) {
    Tuner tuner({{.name = "x"}, {.name = "y"}}, ExpectedImprovement{.start = 6, .candidates = 200},
                {.trials = 25, .seed = seed});
    while (const auto candidate = tuner.ask()) {
      const double x = candidate->at("x") - 0.3, y = candidate->at("y") - 0.6;
      tuner.tell(*candidate, x > 0.5 ? 1e8 : x * x + y * y);
    }
    CHECK(tuner.best()->score < 1e-4);  // was 0.03 to 0.09, no better than random search
  }
}
