#include "mtl/core/order.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include "catch.hpp"

using Order = std::vector<size_t>;

TEST_CASE("rising_order, falling_order: equal values stand as they stood") {
  const std::vector<double> values = {2, 1, 3, 1, 2};
  CHECK(mtl::rising_order(values) == Order{1, 3, 0, 4, 2});
  CHECK(mtl::falling_order(values) == Order{2, 0, 4, 1, 3});
  CHECK(mtl::rising_order({}).empty());
}

TEST_CASE("rising_order, falling_order: what is no number stands last") {
  const std::vector<double> values = {NAN, 1, NAN, INFINITY, -INFINITY};
  CHECK(mtl::rising_order(values) == Order{4, 1, 3, 0, 2});
  CHECK(mtl::falling_order(values) == Order{3, 1, 4, 0, 2});
}

TEST_CASE("for_each_tie: runs of equal values, and NaN equals nothing") {
  const std::vector<double> values = {2, 1, NAN, 2, NAN};
  std::vector<std::pair<size_t, size_t>> runs;
  mtl::for_each_tie(values, mtl::rising_order(values),
                    [&](size_t begin, size_t end) { runs.emplace_back(begin, end); });
  CHECK(runs == std::vector<std::pair<size_t, size_t>>{{0, 1}, {1, 3}, {3, 4}, {4, 5}});
}
