#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("ConFig: golden directions") { check_golden("config", "config"); }

TEST_CASE("ConFig: one angle with all rows, linear in the length of each") {
  std::mt19937_64 random(5);
  for (int tasks = 2; tasks <= 8; ++tasks) {
    const MatrixXd j = random_jacobians::normal(random, tasks, 20);
    const auto scaled = [&](double k) {
      MatrixXd other = j;
      other.row(0) *= k;
      return direction("config", other);
    };
    INFO("T = " << tasks);
    const VectorXd angles = (j * scaled(1)).cwiseQuotient(j.rowwise().norm());
    CHECK(angles.maxCoeff() - angles.minCoeff() <= 1e-9 * angles.maxCoeff());
    CHECK((scaled(10) - scaled(1) - 9 * (scaled(2) - scaled(1))).norm() <=
          1e-9 * scaled(10).norm());
    for (const double k : {1e-10, 1e10})
      CHECK((scaled(k).normalized() - scaled(1).normalized()).norm() <= 1e-8);
  }
}
