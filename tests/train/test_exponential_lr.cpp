#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "schedule_golden.hpp"

TEST_CASE("ExponentialLr: the rates of torch's scheduler") {
  check_against_torch("exponential",
                      [](const auto& c) { return mtl::ExponentialLr{.gamma = c["gamma"]}; });
}

TEST_CASE("ExponentialLr: options that make no sense are errors when it joins") {
  CHECK(joining_error(mtl::ExponentialLr{}).empty());
  CHECK(contains(joining_error(mtl::ExponentialLr{.gamma = -1}), "ExponentialLr: found gamma -1"));
  CHECK(contains(joining_error(mtl::ExponentialLr{.gamma = INFINITY}), "gamma inf"));
}
