#include "mtl/combine/solvers/equal_angles.hpp"

#include "catch.hpp"
#include "error_text.hpp"
#include "random_jacobians.hpp"

using namespace mtl::solvers;
using namespace random_jacobians;
using Eigen::MatrixXd;
using Eigen::VectorXd;

TEST_CASE("equal_angles: the cosines with the rows are as the preference, the length as defined") {
  std::mt19937_64 random(5);
  for (const auto& problem : problems({"wide", "agreeing", "unequal"}, 2, {32})) {
    const MatrixXd& j = problem.jacobian;
    INFO(problem.kind << ", T = " << j.rows());
    const VectorXd preference = normal(random, static_cast<int>(j.rows()), 1).cwiseAbs() +
                                VectorXd::Constant(j.rows(), 0.5);
    const VectorXd d = j.transpose() * equal_angles(problem.gramian(), preference);
    const VectorXd projections = (j * d).cwiseQuotient(j.rowwise().norm()) / d.norm();
    const VectorXd shares = projections.cwiseQuotient(preference);
    CHECK(shares.minCoeff() > 0);
    CHECK(shares.maxCoeff() == Approx(shares.minCoeff()).epsilon(1e-6));
    CHECK(d.norm() == Approx((j * d).sum() / d.norm()).epsilon(1e-8));
  }
}

TEST_CASE("equal_angles: where no direction has equal angles") {
  const VectorXd ones = VectorXd::Ones(2);
  MatrixXd j(2, 2);
  j << 3, 4, -6, -8;  // opposed, on one line: their sum
  CHECK((j.transpose() * equal_angles(j * j.transpose(), ones) - j.colwise().sum().transpose())
            .norm() <= 1e-12);
  MatrixXd star(3, 2);  // three directions of the plane that cancel: nothing
  star << 1, 0, -0.5, std::sqrt(0.75), -0.5, -std::sqrt(0.75);
  CHECK(equal_angles(star * star.transpose(), VectorXd::Ones(3)).isZero(0));
  CHECK(contains(error_text([&] { equal_angles(MatrixXd::Identity(3, 3), ones); }),
                 "3 rows that are not zero, but 2 preferences"));
}

TEST_CASE("equal_projections: the products with the rows are the rows' lengths") {
  for (const auto& problem : problems({"wide", "agreeing", "nearly parallel"}, 2)) {
    const MatrixXd g = problem.gramian();
    INFO(problem.kind << ", T = " << g.rows());
    const VectorXd lengths = g.diagonal().cwiseSqrt();
    const VectorXd v = equal_projections(spectrum(g));
    CHECK((g * v - lengths).cwiseQuotient(lengths).cwiseAbs().maxCoeff() <= 1e-6);
  }
  // Two rows in closed form: v_1 = (|g_1| G_22 - |g_2| G_12) / det.
  MatrixXd g(2, 2);
  g << 4, -3, -3, 9;
  const VectorXd v = equal_projections(spectrum(g));
  CHECK(v[0] == Approx((2 * 9.0 + 3 * 3.0) / 27).epsilon(1e-13));
  CHECK(v[1] == Approx((3 * 4.0 + 2 * 3.0) / 27).epsilon(1e-13));
}
