#include "mtl/core/nearest_first.hpp"

#include "catch.hpp"

TEST_CASE("edit_distance: what is put in, left out or changed") {
  CHECK(mtl::edit_distance("kitten", "sitting") == 3);
  CHECK(mtl::edit_distance("", "abc") == 3);
  CHECK(mtl::edit_distance("Price", "pRICE") == 0);
  CHECK(mtl::edit_distance("ab", "ba") == 2);
}

TEST_CASE("nearest_first: similar names stand first, equal ones as they were") {
  using Names = std::vector<std::string>;
  CHECK(mtl::nearest_first("prise", {"area", "rooms", "price"}).front() == "price");
  CHECK(mtl::nearest_first("price", {"area", "rice", "sale_price_total"}) ==
        Names{"rice", "sale_price_total", "area"});
  CHECK(mtl::nearest_first("", {"b", "a"}) == Names{"b", "a"});
}
