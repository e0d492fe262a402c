#pragma once

#include <Eigen/Core>

namespace mtl::solvers {

/// The eigenvalues of a Gramian that count, ascending, and their vectors.
/// The one rank rule of the library: an eigenvalue counts where it exceeds  max * T * epsilon.
struct Spectrum {
  Eigen::VectorXd values;   ///< [rank], ascending, > 0
  Eigen::MatrixXd vectors;  ///< [T,rank], orthonormal columns
};

/// Spectrum of a symmetric positive semi-definite G [T,T]. Where the rows of J differ much in
/// length, small eigenvalues keep their relative precision (Jacobi rotations of a Cholesky factor:
/// Veselic and Hari, Numer. Math. 56, 1989). Throws where G is not square or not finite.
Spectrum spectrum(const Eigen::MatrixXd& gramian);

/// The shortest v that minimises |Gv - b|: the pseudo-inverse of G, times b [T]. Eigenvalues count
/// by the rank rule, and where they exceed `least` times the largest.
Eigen::VectorXd pseudo_solve(const Eigen::MatrixXd& gramian, const Eigen::VectorXd& b,
                             double least = 0);

}  // namespace mtl::solvers
