#include "mtl/combine/solvers/dual_cone.hpp"

#include "catch.hpp"
#include "error_text.hpp"
#include "random_jacobians.hpp"

using namespace mtl::solvers;
using namespace random_jacobians;
using Eigen::MatrixXd;
using Eigen::VectorXd;

TEST_CASE("shortest_with_products: feasible, complementary, of rows") {
  std::mt19937_64 random(4);
  for (const char* kind : {"wide", "agreeing", "low rank"})
    for (int tasks = 1; tasks <= 8; ++tasks) {
      INFO(kind << ", T = " << tasks);
      MatrixXd j = draw(random, tasks, kind).jacobian;
      j /= j.rowwise().norm().maxCoeff();
      const VectorXd products = j * normal(random, static_cast<int>(j.cols()), 1);  // there is an x
      const auto u = shortest_with_products(j * j.transpose(), products);
      REQUIRE(u);
      CHECK(u->minCoeff() >= 0);
      const VectorXd reached = j * (j.transpose() * *u);
      CHECK((reached - products).minCoeff() >= -1e-9);
      CHECK(std::abs(u->dot(reached - products)) <= 1e-9 * (1 + u->sum()));
    }
}

TEST_CASE("shortest_with_products: no answer where rows that cancel have demands that do not") {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> uniform(0.5, 2);
  for (int round = 0; round < 40; ++round)
    for (int tasks = 2; tasks <= 9; ++tasks) {
      INFO("round " << round << ", T = " << tasks);
      // y'J = 0 for y > 0 of the first rows; the others are free.
      const int together = 2 + round % (tasks - 1), last = together - 1;
      MatrixXd j = normal(random, tasks, tasks + 2);
      VectorXd y = VectorXd::NullaryExpr(together, [&] { return uniform(random); });
      y[last] = 1;
      j.row(last) = -(y.head(last).transpose() * j.topRows(last));
      VectorXd products = normal(random, tasks, 1);
      for (int t = 0; t < tasks; t += 2) products[t] *= log_uniform(random, -9, 0);
      const double margin = 0.1 * y.cwiseProduct(products.head(together)).cwiseAbs().sum();
      products[last] -= y.dot(products.head(together)) + margin;
      const MatrixXd g = j * j.transpose();
      const auto u = shortest_with_products(g, products);
      REQUIRE(u);
      CHECK((g * *u - products).minCoeff() >= -1e-8);
      products[last] += 2 * margin;
      CHECK_FALSE(shortest_with_products(g, products));
    }
}

TEST_CASE("shortest_with_products: rows that cancel cannot all be met; zero rows ask for nothing") {
  MatrixXd opposed(2, 2);
  opposed << 1, -1, -1, 1;
  CHECK_FALSE(shortest_with_products(opposed, Eigen::Vector2d(1, 1)));
  CHECK(shortest_with_products(opposed, Eigen::Vector2d(1, -1))
            .value()
            .isApprox(Eigen::Vector2d(1, 0)));
  MatrixXd with_zero = MatrixXd::Zero(2, 2);
  with_zero(1, 1) = 4;
  CHECK(shortest_with_products(with_zero, Eigen::Vector2d(0, 2)).value() ==
        Eigen::Vector2d(0, 0.5));
  CHECK(shortest_with_products(with_zero, Eigen::Vector2d(-1, -1)).value().isZero(0));
  CHECK_FALSE(shortest_with_products(with_zero, Eigen::Vector2d(1, 0)));
  CHECK(contains(error_text([&] { shortest_with_products(opposed, VectorXd::Ones(3)); }),
                 "2 rows, but 3 products"));
}

TEST_CASE("dual cone: a zero row keeps its bound, and what does not fit is an error") {
  MatrixXd g = MatrixXd::Zero(3, 3);
  g.bottomRightCorner(2, 2) << 1, -0.5, -0.5, 1;
  const VectorXd v = project_on_dual_cone(g, Eigen::Vector3d(7, 1, 0));
  CHECK(v.isApprox(Eigen::Vector3d(7, 1, 0.5)));
  CHECK(sum_of_dual_cone_projections(g, Eigen::Vector3d(7, 1, 2))
            .isApprox(Eigen::Vector3d(7, 2, 2.5)));
  CHECK(contains(error_text([&] { project_on_dual_cone(g, VectorXd::Ones(2)); }),
                 "3 rows: the lower bounds have 2 rows"));
  CHECK(contains(error_text([&] { project_on_dual_cone(g, Eigen::Vector3d(1, std::nan(""), 1)); }),
                 "NaN or Inf"));
  CHECK(contains(error_text([&] { sum_of_dual_cone_projections(g, VectorXd::Ones(2)); }),
                 "the preference has 2 entries"));
}
