#pragma once

#include <Eigen/Core>

namespace mtl::solvers {

// Arithmetic of a few tasks by name. Each Eigen expression that a header spells out makes every
// program that includes it slower to compile; behind these functions it is compiled once.

/// |g_t| [T], from G [T,T].
Eigen::VectorXd lengths(const Eigen::MatrixXd& gramian);

/// The Gramian of the rows times factors f [T]:  f_s G_st f_t.
Eigen::MatrixXd scaled(const Eigen::MatrixXd& gramian, const Eigen::VectorXd& factors);

/// M v [T], for any M [T,T].
Eigen::VectorXd product(const Eigen::MatrixXd& matrix, const Eigen::VectorXd& v);

/// |J'w|^2 = w'Gw.
double squared_length(const Eigen::MatrixXd& gramian, const Eigen::VectorXd& weights);

/// a'b and sqrt(v'v).
double dot(const Eigen::VectorXd& a, const Eigen::VectorXd& b);
double length(const Eigen::VectorXd& v);

/// Entry by entry: factor v, v / divisor, and a_t b_t.
Eigen::VectorXd times(double factor, const Eigen::VectorXd& v);
Eigen::VectorXd divided(const Eigen::VectorXd& v, double divisor);
Eigen::VectorXd times(const Eigen::VectorXd& a, const Eigen::VectorXd& b);

/// v + factor w, as a new vector and in place.
Eigen::VectorXd sum(const Eigen::VectorXd& v, double factor, const Eigen::VectorXd& w);
void add(Eigen::VectorXd& v, double factor, const Eigen::VectorXd& w);

/// v += factor times the j-th column.
void add_column(Eigen::VectorXd& v, double factor, const Eigen::MatrixXd& matrix, Eigen::Index j);

/// The j-th column, the diagonal, and the mean of the columns.
Eigen::VectorXd column(const Eigen::MatrixXd& matrix, Eigen::Index j);
Eigen::VectorXd diagonal(const Eigen::MatrixXd& matrix);
Eigen::VectorXd mean_of_columns(const Eigen::MatrixXd& matrix);

/// M without its first row and column.
Eigen::MatrixXd without_first(const Eigen::MatrixXd& matrix);

/// A matrix whose numbers lie row by row in memory, as torch has them, and the way back.
Eigen::MatrixXd from_rows(const double* numbers, Eigen::Index rows, Eigen::Index columns);
void to_rows(const Eigen::MatrixXd& matrix, double* numbers);

}  // namespace mtl::solvers
