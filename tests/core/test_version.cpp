#include "mtl/core/version.hpp"

#include <string>

#include "catch.hpp"

TEST_CASE("version: its numbers, its text and the compiled library say one thing") {
  const std::string numbers = std::to_string(MTL_VERSION_MAJOR) + "." +
                              std::to_string(MTL_VERSION_MINOR) + "." +
                              std::to_string(MTL_VERSION_PATCH);
  CHECK(numbers == MTL_VERSION_STRING);
  CHECK(mtl::library_version() == MTL_VERSION_STRING);
}

TEST_CASE("version: a later one is greater, whichever number makes it later") {
  CHECK(MTL_VERSION_NUMBER(0, 3, 0) > MTL_VERSION_NUMBER(0, 2, 99));
  CHECK(MTL_VERSION_NUMBER(1, 0, 0) > MTL_VERSION_NUMBER(0, 99, 99));
}
