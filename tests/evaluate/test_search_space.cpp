#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/evaluate/tuning/search_space.hpp"

using namespace mtl::evaluate;

namespace {

const SearchSpace mixed_space{{.name = "rate", .low = 1e-4, .high = 1, .log = true},
                              {.name = "layers", .low = 1, .high = 4, .whole = true},
                              {.name = "kind", .choices = {"adam", "sgd", "lion"}},
                              {.name = "share", .low = -1, .high = 1}};

}  // namespace

TEST_CASE("SearchSpace: the unit cube reaches all values, each on its scale") {
  using Values = std::vector<double>;
  CHECK(mixed_space.values_at(Values{0, 0, 0, 0}) == Values{1e-4, 1, 0, -1});
  CHECK(mixed_space.values_at(Values{1, 1, 1, 1}) == Values{1, 4, 2, 1});
  const auto middle = mixed_space.values_at(Values{0.5, 0.3, 0.5, 0.5});
  CHECK(middle[0] == Approx(1e-2));
  CHECK(middle[1] == 2);
  CHECK(middle[2] == 1);
  CHECK(middle[3] == 0);
}

TEST_CASE("SearchSpace: whole numbers and choices are equally likely, the outer ones too") {
  std::vector<int> layers(5), kinds(3);
  for (int n = 0; n < 1200; ++n) {
    const double share = (n + 0.5) / 1200;
    const auto values = mixed_space.values_at(std::vector<double>(4, share));
    ++layers[static_cast<size_t>(values[1])];
    ++kinds[static_cast<size_t>(values[2])];
  }
  CHECK(layers == std::vector<int>{0, 300, 300, 300, 300});
  CHECK(kinds == std::vector<int>{400, 400, 400});
}

TEST_CASE("SearchSpace: a point becomes values and these the same values again") {
  for (const double share : {0.0, 0.13, 0.5, 0.77, 1.0}) {
    const auto values = mixed_space.values_at(std::vector<double>(4, share));
    const auto again = mixed_space.values_at(mixed_space.point_of(values));
    for (size_t d = 0; d < 4; ++d) CHECK(again[d] == Approx(values[d]));
    for (size_t d = 0; d < 4; ++d)
      CHECK(mixed_space.value_of(d, mixed_space.text_of(d, values[d])) == values[d]);
  }
}

TEST_CASE("SearchSpace: a text that is no value of the dimension is none") {
  CHECK_FALSE(mixed_space.value_of(0, "2"));
  CHECK_FALSE(mixed_space.value_of(0, "x"));
  CHECK_FALSE(mixed_space.value_of(1, "1.5"));
  CHECK_FALSE(mixed_space.value_of(2, "Adam"));
  CHECK(mixed_space.value_of(2, "sgd") == 1);
}

TEST_CASE("Candidate: settings by name, as numbers and as text") {
  const auto candidate = mixed_space.candidate(7, {0.25, 3, 1, -0.5});
  CHECK(candidate.at("rate") == 0.25);
  CHECK(candidate.text("rate") == "0.25");
  CHECK(candidate.text("layers") == "3");
  CHECK(candidate.text("kind") == "sgd");
  const auto text = error_text([&] { candidate.at("depth"); });
  CHECK(contains(text, "trial 7"));
  CHECK(contains(text, "rate, layers, kind, share"));
}

TEST_CASE("SearchSpace: Error: bounds, names and choices that make no sense") {
  const auto text_of = [](Dimension dimension) {
    return error_text([&] { SearchSpace(std::vector{dimension}); });
  };
  CHECK(contains(text_of({.name = ""}), "without a name"));
  CHECK(contains(text_of({.name = "a", .low = 1, .high = 1}), "from 1 to 1"));
  CHECK(contains(text_of({.name = "a", .low = 0, .log = true}), "positive"));
  CHECK(contains(text_of({.name = "a", .low = 0.5, .high = 2, .whole = true}), "whole bounds"));
  CHECK(contains(text_of({.name = "a", .high = std::nan("")}), "finite"));
  CHECK(contains(text_of({.name = "a", .choices = {"x", "x"}}), "twice"));
  CHECK(contains(text_of({.name = "a", .log = true, .choices = {"x"}}), "choices"));
  CHECK(contains(error_text([] {
                   SearchSpace({{.name = "a"}, {.name = "a"}});
                 }),
                 "two dimensions"));
  CHECK(contains(error_text([] { SearchSpace(std::vector<Dimension>()); }), "at least one"));
}
