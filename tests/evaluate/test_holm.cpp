#include "catch.hpp"
#include "golden.hpp"
#include "mtl/evaluate/holm.hpp"

using mtl::evaluate::holm;

TEST_CASE("Holm's correction: the values of statsmodels") {
  for (const auto& entry : golden("comparisons.json")["holm"]) {
    const auto corrected = holm(entry["p"].get<std::vector<double>>());
    const auto expected = entry["corrected"].get<std::vector<double>>();
    REQUIRE(corrected.size() == expected.size());
    for (size_t i = 0; i < expected.size(); ++i)
      CHECK(corrected[i] == Approx(expected[i]).epsilon(1e-12).margin(1e-15));
  }
}

TEST_CASE("Holm's correction: nothing to correct, and what is no p-value") {
  CHECK(holm(std::vector<double>{}).empty());
  CHECK_THROWS_AS(holm(std::vector<double>{0.5, 1.5}), mtl::Error);
  CHECK_THROWS_AS(holm(std::vector<double>{std::nan("")}), mtl::Error);
}
