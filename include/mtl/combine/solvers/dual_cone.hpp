#pragma once

#include <Eigen/Core>
#include <optional>

namespace mtl::solvers {

/// Projections on the dual cone of the rows of J, the directions that no row disagrees with:
/// column k of the answer [T,K] is
///     argmin  v'Gv   over  v >= lower_bounds.col(k)          G [T,T] = J J'
/// and J'v is the projection of J' lower_bounds.col(k). Exact (active set), for any rank and any
/// bounds; where rows depend on each other v is one of several with the same J'v. A zero row keeps
/// its lower bound. Error: G is not square or not finite, or the row numbers differ.
Eigen::MatrixXd project_on_dual_cone(const Eigen::MatrixXd& gramian,
                                     const Eigen::MatrixXd& lower_bounds);

/// The same for every row on its own, summed: sum over k of the answer for bounds
/// preference[k] e_k, without [T,T] bounds. preference [T] >= 0.
Eigen::VectorXd sum_of_dual_cone_projections(const Eigen::MatrixXd& gramian,
                                             const Eigen::VectorXd& preference);

/// Weights u [T] >= 0 of the shortest x = J'u with  Jx >= products  (element-wise), or nothing
/// where no x has them: the rows with positive products then cancel.
std::optional<Eigen::VectorXd> shortest_with_products(const Eigen::MatrixXd& gramian,
                                                      const Eigen::VectorXd& products);

}  // namespace mtl::solvers
