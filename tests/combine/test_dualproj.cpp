#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("DualProj: golden directions") { check_golden("dualproj", "dualproj"); }

TEST_CASE("DualProj: a mean gradient that hurts nobody stays") {
  const MatrixXd j{{1, 0.5, 0}, {0, 1, 0.5}, {0.5, 0, 1}};
  CHECK(direction("dualproj", j).isApprox(j.colwise().mean().transpose(), 1e-12));
  CHECK(direction("dualproj:preference=1/0/0", j).isApprox(j.row(0).transpose(), 1e-12));
}
