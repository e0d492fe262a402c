#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "schedule_golden.hpp"

TEST_CASE("CosineLr: the rates of torch's scheduler") {
  check_against_torch("cosine", [](const auto& c) {
    return mtl::CosineLr{.t_max = c["t_max"], .eta_min = c["eta_min"]};
  });
}

TEST_CASE("CosineLr: options that make no sense are errors when it joins") {
  CHECK(joining_error(mtl::CosineLr{}).empty());
  CHECK(contains(joining_error(mtl::CosineLr{.t_max = 0}), "CosineLr: found t_max 0"));
  CHECK(contains(joining_error(mtl::CosineLr{.eta_min = -1}), "eta_min -1"));
  CHECK(contains(joining_error(mtl::CosineLr{.eta_min = std::nan("")}), "eta_min nan"));
}
