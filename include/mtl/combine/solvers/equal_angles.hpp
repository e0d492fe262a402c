#pragma once

#include <Eigen/Core>

#include "mtl/combine/solvers/spectrum.hpp"

namespace mtl::solvers {

/// Weights w such that J'w has one angle with all rows of J, as far as `preference` [T] has it
/// (ones: equal), and is as long as the rows' projections on it together:
///     u = normalise(pinv(U) preference),  U = unit rows;    J'w = (sum_t g_t'u) u
/// Where no direction has these angles, rows on one line give their sum, others nothing. G [T,T] =
/// J J' without zero rows. Error: sizes differ or G is not finite.
/// Liu, Chu, Thuerey, 2024 (arXiv 2408.11104).
Eigen::VectorXd equal_angles(const Eigen::MatrixXd& gramian, const Eigen::VectorXd& preference);

/// The v [T] with Gv = (|g_1|, ..., |g_T|) for a G of full rank by its spectrum. Of nearly parallel
/// rows v follows from differences of their lengths that sqrt(G_tt) has lost; here lengths and G
/// are of the same rows to the last digit.
Eigen::VectorXd equal_projections(const Spectrum& spectrum);

}  // namespace mtl::solvers
