#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("Pcd: golden sequences") { check_sequence("pcd", "pcd"); }

TEST_CASE("Pcd: the first task leads, the others get their part of the progress") {
  const VectorXd d = direction("pcd:tau=0.1,beta=0,eps=0", MatrixXd{{1, 0}, {-0.8, 0.6}});
  // Unit rows: the shortest change of g_1 that brings g_2'd to 0.1, then back to length 1.
  const Eigen::Vector2d raw = Eigen::Vector2d(1, 0) + 0.9 * Eigen::Vector2d(-0.8, 0.6);
  CHECK(d.isApprox(raw.normalized(), 1e-12));
  CHECK(direction("pcd", MatrixXd{{0, 0}, {1, 2}}).isZero(0));
}
