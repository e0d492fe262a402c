#pragma once

#include <Eigen/Core>

namespace mtl::solvers {

// What methods do to a Gramian before they solve: small, but every Eigen expression that a header
// need not spell out makes the programs that include it quicker to compile.

/// |g_t| [T], from G [T,T].
Eigen::VectorXd lengths(const Eigen::MatrixXd& gramian);

/// The Gramian of the rows times factors f [T]:  f_s G_st f_t.
Eigen::MatrixXd scaled(const Eigen::MatrixXd& gramian, const Eigen::VectorXd& factors);

/// M v [T], for any M [T,T].
Eigen::VectorXd product(const Eigen::MatrixXd& matrix, const Eigen::VectorXd& v);

/// |J'w|^2 = w'Gw.
double squared_length(const Eigen::MatrixXd& gramian, const Eigen::VectorXd& weights);

}  // namespace mtl::solvers
