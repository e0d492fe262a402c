#include "mtl/combine/solvers/simplex.hpp"

#include "catch.hpp"
#include "random_jacobians.hpp"

using namespace mtl::solvers;
using Eigen::VectorXd;

TEST_CASE("project_on_simplex: no point of the simplex is nearer") {
  std::mt19937_64 random(1);
  for (int tasks = 1; tasks <= 12; ++tasks)
    for (const double scale : {0.01, 1.0, 100.0}) {
      INFO("T = " << tasks << ", scale " << scale);
      const VectorXd v = scale * random_jacobians::normal(random, tasks, 1);
      const VectorXd w = project_on_simplex(v);
      CHECK(w.minCoeff() >= 0);
      CHECK(w.sum() == Approx(1).epsilon(1e-13));
      // The nearest point of a convex set: (v - w)'(corner - w) <= 0 for every corner.
      for (int corner = 0; corner < tasks; ++corner)
        CHECK((v - w).dot(VectorXd::Unit(tasks, corner) - w) <= 1e-12 * (1 + scale * scale));
    }
  CHECK(project_on_simplex(VectorXd::Constant(1, -7)) == VectorXd::Ones(1));
  for (const double far : {1e17, -1e17, 1e200, -1e200}) {  // beside which 1 is nothing
    CHECK(project_on_simplex(Eigen::Vector2d(far, far)) == Eigen::Vector2d(0.5, 0.5));
    CHECK(project_on_simplex(Eigen::Vector2d(far, 2 * far)).maxCoeff() == 1);
    CHECK(project_on_simplex(Eigen::Vector2d(far, 2 * far)).sum() == 1);
  }
  CHECK(
      project_on_simplex(Eigen::Vector3d(0.2, 0.3, 0.5)).isApprox(Eigen::Vector3d(0.2, 0.3, 0.5)));
  CHECK(project_on_simplex(Eigen::Vector3d(2, 0, 0)) == Eigen::Vector3d(1, 0, 0));
  CHECK(project_on_simplex(Eigen::Vector3d(1, 1, -1)) == Eigen::Vector3d(0.5, 0.5, 0));
}

TEST_CASE("softmax: as its formula, for logits of any size") {
  const Eigen::Vector3d logits(0.5, -1, 2);
  const VectorXd p = softmax(logits);
  for (int i = 0; i < 3; ++i)
    CHECK(p[i] == Approx(std::exp(logits[i]) / logits.array().exp().sum()).epsilon(1e-14));
  CHECK(softmax(Eigen::Vector2d(1000, 1000)) == Eigen::Vector2d(0.5, 0.5));
  CHECK((softmax(Eigen::Vector2d(-1000, 1000)) - Eigen::Vector2d(0, 1)).norm() <= 1e-300);
}

TEST_CASE("through_softmax: the derivative, by differences") {
  const Eigen::Vector4d logits(0.5, -1, 2, 0.1), x(3, -2, 0.5, 7);
  const VectorXd derivative = through_softmax(softmax(logits), x);
  for (int i = 0; i < 4; ++i) {
    const VectorXd step = 1e-6 * VectorXd::Unit(4, i);
    const double difference = softmax(logits + step).dot(x) - softmax(logits - step).dot(x);
    CHECK(derivative[i] == Approx(difference / 2e-6).epsilon(1e-8));
  }
}
