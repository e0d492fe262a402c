#include <cmath>

#include "catch.hpp"
#include "golden.hpp"
#include "mtl/evaluate/effect_size.hpp"

using namespace mtl::evaluate;

TEST_CASE("effect_size: mean over standard deviation of the differences") {
  for (const auto& entry : golden("comparisons.json")["effects"]) {
    const auto first = entry["first"].get<std::vector<double>>();
    const auto second = entry["second"].get<std::vector<double>>();
    CHECK(effect_size(first, second) == Approx(entry["d"].get<double>()).epsilon(1e-10));
    CHECK(effect_size(second, first) == Approx(-entry["d"].get<double>()).epsilon(1e-10));
  }
}

TEST_CASE("effect_size: equal differences have no spread") {
  CHECK(effect_size(std::vector{1.0, 2.0}, std::vector{1.0, 2.0}) == 0);
  CHECK(std::isinf(effect_size(std::vector{2.0, 3.0}, std::vector{1.0, 2.0})));
  CHECK_THROWS_AS(effect_size(std::vector{1.0}, std::vector{2.0}), mtl::Error);
}

TEST_CASE("hedges_factor: the values of the gamma functions") {
  for (const auto& entry : golden("comparisons.json")["hedges"])
    CHECK(hedges_factor(entry["f"].get<double>()) ==
          Approx(entry["factor"].get<double>()).epsilon(1e-10));
  CHECK(hedges_factor(1) == 0);
  CHECK_THROWS_AS(hedges_factor(0), mtl::Error);
}
