#include "catch.hpp"
#include "mtl/report/plain_text.hpp"

TEST_CASE("plain_text: a letter of two bytes is as wide as one") {
  CHECK(mtl::report::plain_text({{"°C", "x"}, {{"21", "y"}}}) == "°C  x\n21  y\n");
}

TEST_CASE("plain_text: cells stand below each other, lines end with their last sign") {
  CHECK(mtl::report::plain_text({{"task", "error"}, {{"price", "1.5"}, {"a longer one", ""}}}) ==
        "task          error\n"
        "price         1.5\n"
        "a longer one\n");
}
