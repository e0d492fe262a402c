#include "mtl/core/nearest_first.hpp"

#include "catch.hpp"

TEST_CASE("nearest_first: similar names stand first, equal ones as they were") {
  using Names = std::vector<std::string>;
  CHECK(mtl::nearest_first("prise", {"area", "rooms", "price"}).front() == "price");
  CHECK(mtl::nearest_first("price", {"area", "rice", "sale_price_total"}) ==
        Names{"rice", "sale_price_total", "area"});
  CHECK(mtl::nearest_first("pRICE", {"pace", "Price"}).front() == "Price");
  CHECK(mtl::nearest_first("", {"b", "a"}) == Names{"b", "a"});
  const std::string as_long_as_a_file(100'000'000, 'x');
  CHECK(mtl::nearest_first("price", {as_long_as_a_file, "rice"}).front() == "rice");
}
