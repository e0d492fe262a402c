#include "mtl/core/edit_distance.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "catch.hpp"

TEST_CASE("edit_distance: what is put in, left out or replaced") {
  const auto distance = [](const std::string& a, const std::string& b) {
    return mtl::edit_distance(a, b);
  };
  CHECK(distance("kitten", "sitting") == 3);
  CHECK(distance("", "abc") == 3);
  CHECK(distance("abc", "") == 3);
  CHECK(distance("ab", "ba") == 2);
  CHECK(distance("Price", "price") == 1);
}

TEST_CASE("edit_distance: what counts as the same is the caller's to say") {
  const std::vector<double> a = {1, 2, 3}, b = {1.1, 2.9};
  const auto near = [](double x, double y) { return std::abs(x - y) < .2; };
  CHECK(mtl::edit_distance(a, b) == 3);
  CHECK(mtl::edit_distance(a, b, near) == 1);
}
