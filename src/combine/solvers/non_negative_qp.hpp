#pragma once

#include <Eigen/Core>
#include <vector>

#include "growing_cholesky.hpp"

namespace mtl::solvers::detail {

/// Exact minimiser of  .5 x'Mx - b'x  over  x >= 0  for a positive semi-definite M [n,n] and any
/// number of right-hand sides b: non-negative least squares on a Gramian.
///
/// First block principal pivoting (Portugal, Judice, Vicente, Math. Comp. 1994): guess the support,
/// factor, exchange every variable of the wrong sign; three or four factorisations as a rule. Where
/// M is singular on the way or the exchanges do not settle, a primal active set (one variable at a
/// time, a step of zero curvature goes to the next bound), finite for every semi-definite M.
class NonNegativeQp {
 public:
  enum class Outcome { optimal, unbounded };

  /// Keeps a reference to M.
  explicit NonNegativeQp(const Eigen::MatrixXd& m);

  /// Writes the minimiser to x [n]. Where b leaves the range of M the problem may have none:
  /// then `unbounded`, and x is a direction x >= 0 with Mx = 0, b'x > 0.
  Outcome solve(const double* b, double* x);

 private:
  bool solve_by_blocks(const double* b, double* x);
  Outcome solve_one_by_one(const double* b, double* x);
  double set_gradient(const double* b, const double* x);

  const Eigen::MatrixXd& m_;
  int n_;
  double pivot_tolerance_;
  std::vector<double> factor_, values_, gradient_;
  std::vector<int> support_, columns_;
  std::vector<char> inside_;
};

}  // namespace mtl::solvers::detail
