#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "schedule_golden.hpp"

TEST_CASE("OneCycleLr: the rates of torch's scheduler") {
  check_against_torch("one_cycle", [](const auto& c) {
    return mtl::OneCycleLr{.max_lr = c["max_lr"],
                           .total_steps = c["total_steps"],
                           .pct_start = c["pct_start"],
                           .div_factor = c["div_factor"],
                           .final_div_factor = c["final_div_factor"]};
  });
}

TEST_CASE("OneCycleLr: a rise of a single step is at the top") {
  const mtl::OneCycleLr schedule{.max_lr = 0.1, .total_steps = 10, .pct_start = 0.1};
  CHECK(schedule.rate(1, 0) == 0.1);
  CHECK(schedule.rate(1, 9) == Approx(0.1 / 25 / 1e4));
}

TEST_CASE("OneCycleLr: a run of one step has a rate") {
  for (double pct_start : {0.0, 0.3, 1.0})
    CHECK(mtl::OneCycleLr{.total_steps = 1, .pct_start = pct_start}.rate(0.1, 0) > 0);
}

TEST_CASE("OneCycleLr: options that make no sense are errors when it joins") {
  CHECK(joining_error(mtl::OneCycleLr{}).empty());
  CHECK(contains(joining_error(mtl::OneCycleLr{.max_lr = -1}), "OneCycleLr: found max_lr -1"));
  CHECK(contains(joining_error(mtl::OneCycleLr{.total_steps = -1}), "found total_steps -1"));
  CHECK(contains(joining_error(mtl::OneCycleLr{.pct_start = 1.5}), "found pct_start 1.5"));
  CHECK(contains(joining_error(mtl::OneCycleLr{.div_factor = 0}), "found div_factor 0"));
  CHECK(contains(joining_error(mtl::OneCycleLr{.final_div_factor = 0}), "final_div_factor 0"));
}
