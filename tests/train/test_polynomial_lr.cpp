#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "schedule_golden.hpp"

TEST_CASE("PolynomialLr: the rates of torch's scheduler") {
  check_against_torch("polynomial", [](const auto& c) {
    return mtl::PolynomialLr{.total = c["total"], .power = c["power"]};
  });
}

TEST_CASE("PolynomialLr: options that make no sense are errors when it joins") {
  CHECK(joining_error(mtl::PolynomialLr{}).empty());
  CHECK(contains(joining_error(mtl::PolynomialLr{.total = 0}), "found total 0"));
  CHECK(contains(joining_error(mtl::PolynomialLr{.power = std::nan("")}), "found power nan"));
}
