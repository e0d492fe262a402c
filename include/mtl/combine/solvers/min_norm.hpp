#pragma once

#include <Eigen/Core>

namespace mtl::solvers {

/// A point of the convex hull of the rows of J, as weights on the rows.
struct HullPoint {
  Eigen::VectorXd weights;  ///< [T], >= 0, sum 1
  double squared_norm = 0;  ///< |J'w|^2
  bool stationary = false;  ///< |J'w| cannot be told from zero: the rows are Pareto-stationary
};

/// The shortest vector in the convex hull of the rows of J, from G = J J' [T,T]:
///     argmin  w'Gw   over  w >= 0, sum w = 1
/// Exact (active set), for any rank. A zero row is the shortest vector itself. With no rows the
/// weights are empty. Error: G is not square or not finite.
/// Wolfe, Math. Programming 11 (1976).
HullPoint min_norm_point(const Eigen::MatrixXd& gramian);

}  // namespace mtl::solvers
