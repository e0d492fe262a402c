#include "mtl/core/number_in.hpp"

#include <cstdint>

#include "catch.hpp"

TEST_CASE("number_in: the whole of a text, or nothing") {
  CHECK(mtl::number_in<int64_t>("-12") == -12);
  CHECK(mtl::number_in<double>("1e-3") == 1e-3);
  for (const char* text : {"", " 1", "1 ", "+1", "1,5", "12x", "0x10"}) {
    CAPTURE(text);
    CHECK_FALSE(mtl::number_in<int64_t>(text).has_value());
  }
}

TEST_CASE("number_in: a number that does not fit is none") {
  CHECK_FALSE(mtl::number_in<size_t>("-1").has_value());
  CHECK_FALSE(mtl::number_in<int8_t>("128").has_value());
  CHECK_FALSE(mtl::number_in<double>("1e999").has_value());
}
