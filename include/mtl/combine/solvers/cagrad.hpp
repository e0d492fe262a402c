#pragma once

#include <Eigen/Core>

#include "mtl/combine/solvers/bargain.hpp"

namespace mtl::solvers {

/// Conflict-averse direction, not rescaled: weights w such that J'w is
///     argmax over d of  min_t g_t'd   subject to  |d - g0| <= c |g0|,    g0 = mean of the rows,
/// that is  g0 + c |g0| g_w / |g_w|  with g_w the minimiser of  g_w'g0 + c |g0| |g_w|  in the hull.
/// Exact: follows the optimal g_w from the worst task on, one change of its support at a time.
/// `stationary` with zero weights where the minimiser is 0, and for c >= 1 wherever the rows are
/// Pareto-stationary. Zero rows take no part. Error: c < 0 or G is not square or not finite.
/// Liu et al., NeurIPS 2021 (arXiv 2110.14048).
Bargain cagrad(const Eigen::MatrixXd& gramian, double c);

}  // namespace mtl::solvers
