#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/evaluate/tuning/grid_search.hpp"
#include "mtl/evaluate/tuning/tuner.hpp"

using namespace mtl::evaluate;

TEST_CASE("GridSearch: every combination once, bounds and all choices among them") {
  Tuner tuner({{.name = "rate", .low = 0.25, .high = 4, .log = true},
               {.name = "layers", .low = 1, .high = 2, .whole = true},
               {.name = "kind", .choices = {"a", "b"}}},
              GridSearch{.steps = 3});
  std::vector<std::string> tried;
  while (const auto candidate = tuner.ask())
    tried.push_back(candidate->text("rate") + candidate->text("layers") + candidate->text("kind"));
  CHECK(tried == std::vector<std::string>{"0.251a", "0.251b", "0.252a", "0.252b",  //
                                          "11a", "11b", "12a", "12b",              //
                                          "41a", "41b", "42a", "42b"});
}

TEST_CASE("GridSearch: what is tried before it takes nothing away from the grid") {
  Tuner tuner({{.name = "rate", .low = 0, .high = 1}}, GridSearch{.steps = 3},
              {.trials = 5, .first = {{0.3}, {0.7}}});
  std::vector<double> tried;
  while (const auto candidate = tuner.ask()) tried.push_back(candidate->at("rate"));
  CHECK(tried == std::vector<double>{0.3, 0.7, 0, 0.5, 1});
  CHECK(contains(
      error_text([&] {
        Tuner({{.name = "rate"}}, GridSearch{.steps = 3}, {.trials = 4, .first = {{0.3}, {0.7}}});
      }),
      "2 trials"));
}

TEST_CASE("GridSearch: Error: more combinations than trials, fewer than 2 steps") {
  const SearchSpace space{{.name = "a"}, {.name = "b"}, {.name = "c"}};
  CHECK(contains(error_text([&] { Tuner(space, GridSearch{}, {.trials = 124}); }), "124 trials"));
  CHECK(error_text([&] { Tuner(space, GridSearch{}, {.trials = 125}); }).empty());
  CHECK(contains(error_text([&] { Tuner(space, GridSearch{.steps = 1}); }), "steps = 1"));
}

TEST_CASE("GridSearch: whole numbers on a log scale are tried once") {
  Tuner tuner({{.name = "n", .low = 1, .high = 6, .log = true, .whole = true},
               {.name = "kind", .choices = {"a", "b"}}},
              GridSearch{.steps = 5}, {.trials = 8});
  std::vector<std::string> tried;
  while (const auto candidate = tuner.ask())
    tried.push_back(candidate->text("n") + candidate->text("kind"));
  CHECK(tried == std::vector<std::string>{"1a", "1b", "2a", "2b", "4a", "4b", "6a", "6b"});
}
