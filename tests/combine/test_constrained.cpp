#include <cmath>

#include "error_text.hpp"
#include "mtl/combine/solvers/constrained.hpp"
#include "random_jacobians.hpp"

using namespace mtl;
using Eigen::MatrixXd;
using Eigen::VectorXd;

TEST_CASE("constrained_min_norm: feasible, and no other point is better") {
  using namespace random_jacobians;
  std::mt19937_64 random(3);
  for (const char* kind : {"wide", "low rank", "agreeing", "opposed", "duplicate"})
    for (int tasks = 1; tasks <= 9; ++tasks)
      for (const double rate : {0.0, 0.1, 2.0}) {
        INFO(kind << ", T = " << tasks << ", rate " << rate);
        MatrixXd j = draw(random, tasks, kind).jacobian;
        j /= j.rowwise().norm().maxCoeff();
        const VectorXd q =
            log_uniform(random, -3, 3) * normal(random, static_cast<int>(j.cols()), 1);
        const double demand = rate * q.squaredNorm();
        const auto point =
            solvers::constrained_min_norm(j * j.transpose(), j * q, q.squaredNorm(), demand);
        CHECK(point.weights.minCoeff() >= 0);
        CHECK(point.weights.sum() == Approx(1).epsilon(1e-12));
        CHECK(point.multiplier >= 0);
        const VectorXd d = -(j.transpose() * point.weights + point.multiplier * q);
        const double slack = 1e-9 * (1 + d.norm());
        CHECK(q.dot(d) <= -demand + slack * q.norm());
        if (point.multiplier * q.norm() > 1e-9)
          CHECK(std::abs(q.dot(d) + demand) <= slack * q.norm());
        CHECK(point.weights.dot(j * d) >= (j * d).maxCoeff() - slack);
      }
  const auto free =
      solvers::constrained_min_norm(MatrixXd::Identity(2, 2), VectorXd::Zero(2), 0, 1);
  CHECK(free.multiplier == 0);
  CHECK(free.weights.isApprox(VectorXd::Constant(2, 0.5)));
  // What the common descent meets by itself asks for no multiplier.
  const auto met =
      solvers::constrained_min_norm(MatrixXd::Identity(2, 2), VectorXd::Constant(2, 0.5), 1, 0.1);
  CHECK(met.multiplier == 0);
  CHECK(met.weights.isApprox(VectorXd::Constant(2, 0.5)));
  const auto met_by_one = solvers::constrained_min_norm(Eigen::Vector2d(1, 9).asDiagonal(),
                                                        Eigen::Vector2d(1, 0), 1, 0.5);
  CHECK(met_by_one.multiplier == 0);
  CHECK(met_by_one.weights.isApprox(Eigen::Vector2d(0.9, 0.1)));
  CHECK_FALSE(error_text([] {
                solvers::constrained_min_norm(MatrixXd::Identity(2, 2), VectorXd::Zero(3), 1, 1);
              }).empty());
}
