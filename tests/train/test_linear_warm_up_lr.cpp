#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "schedule_golden.hpp"

TEST_CASE("LinearWarmUpLr: the rates of torch's scheduler") {
  check_against_torch("linear_warm_up", [](const auto& c) {
    return mtl::LinearWarmUpLr{.start_factor = c["start_factor"], .total = c["total"]};
  });
}

TEST_CASE("LinearWarmUpLr: options that make no sense are errors when it joins") {
  CHECK(joining_error(mtl::LinearWarmUpLr{}).empty());
  CHECK(contains(joining_error(mtl::LinearWarmUpLr{.total = 0}), "found total 0"));
  CHECK(contains(joining_error(mtl::LinearWarmUpLr{.start_factor = -1}), "start_factor -1"));
}
