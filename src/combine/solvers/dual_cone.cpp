#include "mtl/combine/solvers/dual_cone.hpp"

#include "non_negative_qp.hpp"
#include "unit_rows.hpp"

// With v = bound + z the problem is  min .5 z'Gz + (G bound)'z  over  z >= 0.

namespace mtl::solvers {

Eigen::MatrixXd project_on_dual_cone(const Eigen::MatrixXd& gramian,
                                     const Eigen::MatrixXd& lower_bounds) {
  const auto unit = detail::unit_rows(gramian);
  const int n = unit.size();
  if (lower_bounds.rows() != unit.total)
    throw Error("dual cone of {} rows: the lower bounds have {} rows", unit.total,
                lower_bounds.rows());
  if (!lower_bounds.allFinite()) throw Error("dual cone: a lower bound is NaN or Inf");
  Eigen::MatrixXd v = lower_bounds;
  detail::NonNegativeQp qp(unit.cosines);
  Eigen::VectorXd bound(n), b(n), z(n);
  for (Eigen::Index k = 0; k < v.cols(); ++k) {
    for (int i = 0; i < n; ++i) bound[i] = unit.norms[i] * lower_bounds(unit.index[i], k);
    b.noalias() = -(unit.cosines * bound);
    qp.solve(b.data(), z.data());
    for (int i = 0; i < n; ++i) v(unit.index[i], k) += z[i] / unit.norms[i];
  }
  return v;
}

Eigen::VectorXd sum_of_dual_cone_projections(const Eigen::MatrixXd& gramian,
                                             const Eigen::VectorXd& preference) {
  const auto unit = detail::unit_rows(gramian);
  const int n = unit.size();
  if (preference.size() != unit.total)
    throw Error("dual cone of {} rows: the preference has {} entries", unit.total,
                preference.size());
  if (!preference.allFinite() || (preference.array() < 0).any())
    throw Error("dual cone: a preference is negative, NaN or Inf");
  Eigen::VectorXd v = preference;
  if (n == 2) {  // each row loses its component along the other, where they disagree
    const int first = unit.index[0], second = unit.index[1];
    const double conflict = std::max(0.0, -unit.cosines(0, 1));
    v[first] += conflict * preference[second] * unit.norms[1] / unit.norms[0];
    v[second] += conflict * preference[first] * unit.norms[0] / unit.norms[1];
    return v;
  }
  // The bound e_k on unit rows; its answer scales with the row's norm and preference.
  detail::NonNegativeQp qp(unit.cosines);
  Eigen::VectorXd b(n), z(n), total = Eigen::VectorXd::Zero(n);
  for (int k = 0; k < n; ++k) {
    b = -unit.cosines.col(k);
    qp.solve(b.data(), z.data());
    total += (preference[unit.index[k]] * unit.norms[k]) * z;
  }
  for (int i = 0; i < n; ++i) v[unit.index[i]] += total[i] / unit.norms[i];
  return v;
}

std::optional<Eigen::VectorXd> shortest_with_products(const Eigen::MatrixXd& gramian,
                                                      const Eigen::VectorXd& products) {
  const auto unit = detail::unit_rows(gramian);
  const int n = unit.size();
  if (products.size() != unit.total)
    throw Error("{} rows, but {} products for them", unit.total, products.size());
  Eigen::VectorXd b(n), u(n);
  for (int i = 0; i < n; ++i) b[i] = products[unit.index[i]] / unit.norms[i];
  for (int i = 0; i < unit.total; ++i)
    if (gramian(i, i) == 0 && products[i] > 0) return std::nullopt;
  const auto outcome = detail::NonNegativeQp(unit.cosines).solve(b.data(), u.data());
  if (outcome == detail::NonNegativeQp::Outcome::unbounded) return std::nullopt;
  // Rows that cancel can pass for independent by the rounding of G: their weights then grow until
  // rounding moves the products by as much as was asked.
  if (n > 0 && kEpsilon * n * u.sum() > 1e-3 * b.cwiseAbs().maxCoeff()) return std::nullopt;
  return unit.scatter(u.cwiseQuotient(unit.norms));
}

}  // namespace mtl::solvers
