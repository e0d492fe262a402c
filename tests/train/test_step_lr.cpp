#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "schedule_golden.hpp"

TEST_CASE("StepLr: the rates of torch's scheduler") {
  check_against_torch("step", [](const auto& c) {
    return mtl::StepLr{.step_size = c["step_size"], .gamma = c["gamma"]};
  });
}

TEST_CASE("StepLr: options that make no sense are errors when it joins") {
  CHECK(joining_error(mtl::StepLr{}).empty());
  CHECK(contains(joining_error(mtl::StepLr{.step_size = 0}), "StepLr: found step_size 0"));
  CHECK(contains(joining_error(mtl::StepLr{.gamma = -0.1}), "StepLr: found gamma -0.1"));
  CHECK(contains(joining_error(mtl::StepLr{.gamma = std::nan("")}), "gamma nan"));
}
