#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("CaGrad: golden directions") {
  check_golden("cagrad_0.4", "cagrad");
  check_golden("cagrad_0.5", "cagrad:c=0.5");
  check_golden("cagrad_0.5_rescale_1", "cagrad:c=0.5,rescale=1");
  check_golden("cagrad_1", "cagrad:c=1");
}

TEST_CASE("CaGrad: c 0 is the mean, and a rescaled direction is shorter") {
  std::mt19937_64 random(7);
  const MatrixXd many = random_jacobians::normal(random, 5, 12);
  CHECK((direction("cagrad:c=0", many) - many.colwise().mean().transpose()).norm() <=
        1e-12 * many.norm());
  CHECK((direction("cagrad:rescale=2", many) * 1.4 - direction("cagrad", many)).norm() <=
        1e-12 * many.norm());
}
