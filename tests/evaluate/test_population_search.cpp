#include <cmath>
#include <map>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/evaluate/tuning/population_search.hpp"
#include "mtl/evaluate/tuning/tuner.hpp"

using namespace mtl::evaluate;

namespace {

/// The toy of the paper: descends the surrogate -(h0 x^2 + h1 y^2), which stands for 1.2 - x^2 -
/// y^2; neither of (1, 0) and (0, 1) reaches the top.
struct Walker {
  double x = 0.9, y = 0.9;
  double after(double h0, double h1) {
    for (int step = 0; step < 10; ++step) x -= 0.02 * h0 * x, y -= 0.02 * h1 * y;
    return 1.2 - x * x - y * y;
  }
};

const SearchSpace toy_space{{.name = "h0"}, {.name = "h1"}};

double best_of_population() {
  Tuner tuner(toy_space, PopulationSearch{.members = 6},
              {.better = mtl::Better::higher, .trials = 90, .seed = 2});
  std::map<int64_t, Walker> walkers;
  while (const auto candidate = tuner.ask()) {
    Walker walker = candidate->parent ? walkers.at(*candidate->parent) : Walker{};
    tuner.tell(*candidate, walker.after(candidate->at("h0"), candidate->at("h1")));
    walkers[candidate->trial] = walker;
  }
  return tuner.best()->score;
}

}  // namespace

TEST_CASE("PopulationSearch: a population that copies its best beats the best that goes on alone") {
  double alone = -10;
  Tuner first(toy_space, RandomSearch{}, {.trials = 6, .seed = 2});
  while (const auto candidate = first.ask()) {
    Walker walker;
    for (int generation = 0; generation < 15; ++generation)
      alone = std::max(alone, walker.after(candidate->at("h0"), candidate->at("h1")));
  }
  CHECK(best_of_population() > alone);
}

TEST_CASE("PopulationSearch: the worst continue from the best with changed settings") {
  Tuner tuner({{.name = "a", .low = 1, .high = 100}}, PopulationSearch{.members = 4, .resample = 0},
              {.trials = 8});
  std::vector<Candidate> generation;
  for (int n = 0; n < 4; ++n) generation.push_back(*tuner.ask());
  CHECK(contains(error_text([&] { tuner.ask(); }), "0, 1, 2, 3"));
  for (const auto& candidate : generation) {
    CHECK_FALSE(candidate.parent);
    tuner.tell(candidate, candidate.trial == 3 ? std::nan("") : 1.0 - 0.1 * candidate.trial);
  }
  for (int64_t n = 4; n < 7; ++n) {
    const auto candidate = tuner.ask();
    CHECK(candidate->parent == n - 4);
    CHECK(candidate->at("a") == generation[n - 4].at("a"));
  }
  const auto copied = tuner.ask();  // the member that failed; trial 2 was the best
  CHECK(copied->parent == 2);
  const double change = copied->at("a") / generation[2].at("a");
  CHECK((change == Approx(1.2) || change == Approx(1 / 1.2) || copied->at("a") == 1 ||
         copied->at("a") == 100));
}

TEST_CASE("PopulationSearch: Error: options that make no sense") {
  const auto text_of = [](PopulationSearch method) {
    return error_text([&] { Tuner(toy_space, method); });
  };
  CHECK(contains(text_of({.members = 1}), "members = 1"));
  CHECK(contains(text_of({.share = 0.6}), "share = 0.6"));
  CHECK(contains(text_of({.factor = 1}), "factor = 1"));
}
