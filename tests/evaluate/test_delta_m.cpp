#include "catch.hpp"
#include "mtl/evaluate/delta_m.hpp"

using namespace mtl::evaluate;
using mtl::Better;

TEST_CASE("delta_m: the sign follows the metric's direction") {
  CHECK(delta_m(std::vector<TaskGain>{{"a", 0.55, 0.5, Better::higher}}) == Approx(0.1));
  CHECK(delta_m(std::vector<TaskGain>{{"a", 0.55, 0.5, Better::lower}}) == Approx(-0.1));
  CHECK(delta_m(std::vector<TaskGain>{{"a", -0.45, -0.5, Better::higher}}) == Approx(0.1));
}

TEST_CASE("delta_m: the mean over tasks of the means over their metrics") {
  const std::vector<TaskGain> gains{{"a", 1.1, 1.0, Better::higher},
                                    {"b", 0.9, 1.0, Better::lower},
                                    {"a", 1.3, 1.0, Better::higher}};
  CHECK(delta_m(gains) == Approx((0.2 + 0.1) / 2));
}

TEST_CASE("delta_m: no tasks, a single-task value of zero, a value that is not finite") {
  CHECK_THROWS_AS(delta_m(std::vector<TaskGain>{}), mtl::Error);
  CHECK_THROWS_AS(delta_m(std::vector<TaskGain>{{"a", 1, 0, Better::lower}}), mtl::Error);
  CHECK_THROWS_AS(delta_m(std::vector<TaskGain>{{"a", std::nan(""), 1, Better::lower}}),
                  mtl::Error);
}
