#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("FairGrad: golden directions") {
  check_golden("fairgrad_0.5", "fairgrad:alpha=0.5");
  check_golden("fairgrad_1", "fairgrad");
  check_golden("fairgrad_2", "fairgrad:alpha=2");
}

TEST_CASE("FairGrad: alpha 1 is Nash") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20; ++round) {
    const MatrixXd many = random_jacobians::normal(random, 5, 12);
    CHECK((direction("fairgrad", many) - direction("nash", many)).norm() <= 1e-9);
  }
}
