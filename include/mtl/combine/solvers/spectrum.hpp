#pragma once

#include <Eigen/Core>
#include <functional>

namespace mtl::solvers {

/// The eigenvalues of a Gramian that count, ascending, and their vectors.
/// The one rank rule of the library: an eigenvalue counts where it is more than the rounding of G.
/// How unequal the lengths of the rows are does not matter: a row is dependent on others by its
/// cosines with them, up to a few times T * epsilon.
struct Spectrum {
  Eigen::VectorXd values;   ///< [rank], ascending, > 0
  Eigen::MatrixXd vectors;  ///< [T,rank], orthonormal columns
};

/// Spectrum of a symmetric positive semi-definite G [T,T]. Where the rows of J differ much in
/// length, small eigenvalues keep their relative precision (Jacobi rotations of a Cholesky factor:
/// Veselic and Hari, Numer. Math. 56, 1989). Error: G is not square or not finite.
Spectrum spectrum(const Eigen::MatrixXd& gramian);

/// Whether G, rounded to double, knows its spectrum to some eight digits: its rows are neither
/// dependent nor nearly so, by their cosines.
bool is_well_known(const Eigen::MatrixXd& gramian);

/// The Gramian [K,K] of K combinations [K,T] of the rows of J.
using GramianOf = std::function<Eigen::MatrixXd(const Eigen::MatrixXd& combinations)>;

/// The spectrum of a G that does not know it well, with the help of the rows themselves: they are
/// combined to orthonormal ones, as far as G tells, and the Gramian of those tells the rest.
Spectrum refined(const Eigen::MatrixXd& gramian, const GramianOf& gramian_of);

/// V diag(factors) V' b, a function of G times b [T]: `factors` [rank] are its values at the
/// eigenvalues.
Eigen::VectorXd spectral_product(const Spectrum& spectrum, const Eigen::VectorXd& factors,
                                 const Eigen::VectorXd& b);

/// Rows of J in coordinates of their span: C [rank,T] with C'C = G.
Eigen::MatrixXd coordinates(const Eigen::MatrixXd& gramian);

/// The shortest v that minimises |Gv - b|: the pseudo-inverse of G, times b [T]. Where the rows are
/// independent by their cosines the answer is that of their cosines, whatever their lengths.
Eigen::VectorXd pseudo_solve(const Eigen::MatrixXd& gramian, const Eigen::VectorXd& b);

}  // namespace mtl::solvers
