#pragma once

#include <Eigen/Core>

namespace mtl::solvers {

/// The point of  { w >= 0, sum w = 1 }  nearest to v [T].
/// Held, Wolfe, Crowder, Math. Programming 6 (1974).
Eigen::VectorXd project_on_simplex(const Eigen::VectorXd& v);

/// e^a / sum e^a [T]: a point of the simplex for any logits a [T].
Eigen::VectorXd softmax(const Eigen::VectorXd& logits);

/// d/da of softmax(a) . x, for p = softmax(a), [T].
Eigen::VectorXd through_softmax(const Eigen::VectorXd& p, const Eigen::VectorXd& x);

}  // namespace mtl::solvers
