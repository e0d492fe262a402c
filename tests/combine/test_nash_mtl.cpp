#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("NashMtl: golden directions") {
  check_golden("nash", "nash");
  check_golden("nash_max_norm_1", "nash:max_norm=1");
}

TEST_CASE("NashMtl: the length of one gradient changes nothing") {
  std::mt19937_64 random(5);
  for (int tasks = 2; tasks <= 8; ++tasks)
    for (const double k : {1e-10, 1e10}) {
      const MatrixXd j = random_jacobians::normal(random, tasks, 20);
      MatrixXd scaled = j;
      scaled.row(0) *= k;
      INFO("T = " << tasks << ", scale " << k);
      CHECK((direction("nash", scaled) - direction("nash", j)).norm() <= 1e-8 * std::sqrt(tasks));
    }
}

TEST_CASE("NashMtl: a head whose task has no shared gradient takes its own") {
  OwnLoop loop(MatrixXd{{1, 2}, {3, -1}, {2, 2}});
  NashMtl nash;
  nash.backward(loop.losses({1}), loop.parameters());
  CHECK(loop.heads[1].grad().item<double>() == Approx(loop.head_gradient(1)));
  CHECK(loop.x.grad().norm().item<double>() == Approx(std::sqrt(2)));  // of the two others
}
