#pragma once

#include <Eigen/Core>

namespace mtl::solvers {

/// Weights on the rows of J, or none: `stationary` with zero weights where some convex combination
/// of the rows cannot be told from zero, so that no finite answer exists.
struct Bargain {
  Eigen::VectorXd weights;  ///< [T], > 0; 0 for a zero row
  bool stationary = false;
};

/// Nash bargaining: the positive solution of  G a = 1/a  (element-wise), the minimiser of
/// .5 a'Ga - sum log a.  J'a has length sqrt(T), whatever the lengths of the rows.
/// Newton with exact line search on a self-concordant function; closed form for two rows.
/// Error: G is not square or not finite.
/// Navon et al., ICML 2022 (arXiv 2202.01017).
Bargain nash(const Eigen::MatrixXd& gramian);

/// alpha-fair bargaining: the positive solution of  G w = w^(-1/alpha)  (element-wise), alpha > 0.
/// alpha 1 is Nash; alpha -> 0 cares for the sum, alpha -> infinity for the worst task.
/// Starts from Nash's answer and follows it by a primal-dual Newton method, globally convergent.
/// Ban and Ji, ICML 2024 (arXiv 2402.15638).
Bargain fairgrad(const Eigen::MatrixXd& gramian, double alpha);

}  // namespace mtl::solvers
