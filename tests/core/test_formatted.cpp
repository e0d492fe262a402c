#include "mtl/core/formatted.hpp"

#include <string>

#include "catch.hpp"

TEST_CASE("formatted: numbers, texts, characters and truth values as fmt writes them") {
  const std::string name = "pets";
  CHECK(mtl::formatted("{} {}: {} of {}", name, "epoch", 3, int64_t{40}) == "pets epoch: 3 of 40");
  CHECK(mtl::formatted("{:.3f} {} {}", 0.5, 0.1f, 1e300) == "0.500 0.1 1e+300");
  CHECK(mtl::formatted("{{{}}} {} {}", 'c', true, size_t{7}) == "{c} true 7");
}
