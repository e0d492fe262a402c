#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "schedule_golden.hpp"

TEST_CASE("CosineWarmRestartsLr: the rates of torch's scheduler") {
  check_against_torch("cosine_warm_restarts", [](const auto& c) {
    return mtl::CosineWarmRestartsLr{.t_0 = c["t_0"], .t_mult = c["t_mult"]};
  });
}

TEST_CASE("CosineWarmRestartsLr: options that make no sense are errors when it joins") {
  using mtl::CosineWarmRestartsLr;
  CHECK(joining_error(CosineWarmRestartsLr{}).empty());
  CHECK(contains(joining_error(CosineWarmRestartsLr{.t_0 = 0}), "found t_0 0"));
  CHECK(contains(joining_error(CosineWarmRestartsLr{.t_mult = 0}), "found t_mult 0"));
  CHECK(contains(joining_error(CosineWarmRestartsLr{.eta_min = -1}), "found eta_min -1"));
}
