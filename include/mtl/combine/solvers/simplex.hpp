#pragma once

#include <Eigen/Core>

namespace mtl::solvers {

/// The point of  { w >= 0, sum w = 1 }  nearest to v [T].
/// Held, Wolfe, Crowder, Math. Programming 6 (1974).
Eigen::VectorXd project_on_simplex(const Eigen::VectorXd& v);

}  // namespace mtl::solvers
