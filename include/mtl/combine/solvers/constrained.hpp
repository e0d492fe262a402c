#pragma once

#include <Eigen/Core>

namespace mtl::solvers {

/// Weights of a common descent direction under one constraint.
struct ConstrainedPoint {
  Eigen::VectorXd weights;  ///< [T], >= 0, sum 1
  double multiplier = 0;    ///< of the constraint, >= 0
};

/// The direction d that lowers the worst of T objectives most while one more falls fast enough:
///     min over d of  max_t J_t d + |d|^2 / 2   where  q.d <= -demand
/// as its dual has it, d = -(J'w + nu q) with
///     argmin  |J'w + nu q|^2 / 2 - nu demand   over  w >= 0, sum w = 1,  nu >= 0
/// from G = J J' [T,T], `products` = J q [T], `squared` = |q|^2. Where q is zero, nu is 0. For a
/// given nu this is the shortest vector in a shifted hull, so nu is found by a bracketed root of
/// q.d + demand, which grows with it. Error: an argument is not finite or sizes differ.
ConstrainedPoint constrained_min_norm(const Eigen::MatrixXd& gramian,
                                      const Eigen::VectorXd& products, double squared,
                                      double demand);

}  // namespace mtl::solvers
