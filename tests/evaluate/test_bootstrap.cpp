#include "catch.hpp"
#include "golden.hpp"
#include "mtl/evaluate/bootstrap.hpp"

using namespace mtl::evaluate;

TEST_CASE("bootstrap: the interval over all resamples, up to the luck of drawing some") {
  for (const auto& entry : golden("comparisons.json")["bootstrap"]) {
    const auto values = entry["values"].get<std::vector<double>>();
    const std::vector<double> zeros(values.size(), 0.0);
    const double spread = entry["spread"].get<double>();
    for (const auto& [level, name] :
         {std::pair{0.95, "interval95"}, std::pair{0.8, "interval80"}}) {
      const auto found = paired_bootstrap_interval(values, zeros, level, 100'000);
      CHECK(found.low == Approx(entry[name][0].get<double>()).margin(0.05 * spread));
      CHECK(found.high == Approx(entry[name][1].get<double>()).margin(0.05 * spread));
    }
  }
}

TEST_CASE("bootstrap: the same seed gives the same interval, another seed another") {
  const std::vector<double> first{1, 2, 4, 8, 16}, second{0, 1, 0, 1, 0};
  const auto once = paired_bootstrap_interval(first, second, 0.95, 999, 7);
  const auto again = paired_bootstrap_interval(first, second, 0.95, 999, 7);
  const auto other = paired_bootstrap_interval(first, second, 0.95, 999, 8);
  CHECK(once.low == again.low);
  CHECK(once.high == again.high);
  CHECK((once.low != other.low || once.high != other.high));
}

TEST_CASE("bootstrap: a statistic of one's own, equal values, and what cannot be served") {
  const auto largest = [](std::span<const size_t> places) {
    return static_cast<double>(*std::max_element(places.begin(), places.end()));
  };
  const auto interval = bootstrap_interval(10, largest);
  CHECK(interval.high == 9);
  CHECK(interval.low < 9);
  const std::vector<double> equal(4, 2.0), zeros(4, 0.0);
  CHECK(paired_bootstrap_interval(equal, zeros).low == 2);
  CHECK(paired_bootstrap_interval(equal, zeros).high == 2);
  CHECK_THROWS_AS(bootstrap_interval(1, largest), mtl::Error);
  CHECK_THROWS_AS(bootstrap_interval(10, largest, 1.0), mtl::Error);
  CHECK_THROWS_AS(bootstrap_interval(10, largest, 0.95, 0), mtl::Error);
  CHECK_THROWS_AS(bootstrap_interval(3, [](auto) { return std::nan(""); }), mtl::Error);
}
