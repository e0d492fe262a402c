#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("AlignedMtl: golden directions") {
  check_golden("aligned_min", "aligned");
  check_golden("aligned_median", "aligned:scale=median");
  check_golden("aligned_rmse", "aligned:scale=rmse");
}

TEST_CASE("AlignedMtl: orthogonal rows of one length keep their mean, or preferred sum") {
  const MatrixXd orthogonal = 3 * MatrixXd::Identity(4, 6);
  CHECK((direction("aligned", orthogonal) - orthogonal.colwise().mean().transpose()).norm() <=
        1e-12);
  CHECK((direction("aligned:preference=1/0/-1/2", orthogonal) -
         orthogonal.transpose() * Eigen::Vector4d(1, 0, -1, 2))
            .norm() <= 1e-12);
}

TEST_CASE("AlignedMtl: every row counts, however unequal their lengths") {
  // Orthogonal rows: by the definition all come to the length of the shortest.
  for (const double longest : {1e3, 1e8, 1e12}) {
    MatrixXd j = MatrixXd::Zero(3, 4);
    j.diagonal() = Eigen::Vector3d(longest, 1, 1e-3);
    const VectorXd d = direction("aligned", j);
    INFO("longest row " << longest);
    CHECK(d.head(3).isApprox(Eigen::Vector3d::Constant(1e-3 / 3), 1e-9));
  }
}
