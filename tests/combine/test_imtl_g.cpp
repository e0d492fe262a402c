#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("ImtlG: golden directions") { check_golden("imtl_g", "imtl_g"); }

TEST_CASE("ImtlG: projections on all task gradients are equal, whatever their lengths") {
  std::mt19937_64 random(5);
  for (int tasks = 2; tasks <= 8; ++tasks)
    for (const double spread : {1.0, 1e3, 1e6, 1e9}) {
      MatrixXd j = random_jacobians::normal(random, tasks, 20);
      for (int t = 0; t < tasks; ++t) j.row(t) *= std::pow(spread, double(t) / tasks);
      INFO("T = " << tasks << ", spread " << spread);
      const VectorXd d = direction("imtl_g", j);
      const VectorXd projections = (j * d).cwiseQuotient(j.rowwise().norm());
      CHECK(projections.minCoeff() > 0);
      CHECK(projections.maxCoeff() - projections.minCoeff() <= 1e-9 * projections.maxCoeff());
    }
}

TEST_CASE("ImtlG: rows that cancel have no direction") {
  ImtlG combiner;
  CHECK(direction("imtl_g", MatrixXd{{1, 0}, {-1, 0}}).isZero(0));
  CHECK(combiner.solve(MatrixXd{{1, -1}, {-1, 1}}).isZero(0));
  CHECK(combiner.stationary());
}
