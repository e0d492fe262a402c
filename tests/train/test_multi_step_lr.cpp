#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "schedule_golden.hpp"

TEST_CASE("MultiStepLr: the rates of torch's scheduler") {
  check_against_torch("multi_step", [](const auto& c) {
    return mtl::MultiStepLr{.milestones = c["milestones"].template get<std::vector<int64_t>>(),
                            .gamma = c["gamma"]};
  });
}

TEST_CASE("MultiStepLr: options that make no sense are errors when it joins") {
  CHECK(joining_error(mtl::MultiStepLr{.milestones = {0, 5}}).empty());
  CHECK(contains(joining_error(mtl::MultiStepLr{}), "no milestones"));
  CHECK(contains(joining_error(mtl::MultiStepLr{.milestones = {5, 3}}), "milestone 3 after 5"));
  CHECK(contains(joining_error(mtl::MultiStepLr{.milestones = {5, 5}}), "milestone 5 after 5"));
  CHECK(contains(joining_error(mtl::MultiStepLr{.milestones = {-1}}), "milestone -1"));
  CHECK(contains(joining_error(mtl::MultiStepLr{.milestones = {1}, .gamma = -1}), "gamma -1"));
}
