#include "mtl/combine/solvers/equal_angles.hpp"

#include <cmath>

#include "mtl/combine/solvers/spectrum.hpp"
#include "unit_rows.hpp"

namespace mtl::solvers {

Eigen::VectorXd equal_angles(const Eigen::MatrixXd& gramian, const Eigen::VectorXd& preference) {
  const auto unit = detail::unit_rows(gramian);
  if (unit.size() != preference.size())
    throw Error("equal angles: {} rows that are not zero, but {} preferences", unit.size(),
                preference.size());
  // pinv(U) p = U' pinv(C) p with the cosines C = UU', so the direction is in the span of the rows.
  const Eigen::VectorXd v = pseudo_solve(unit.cosines, preference);
  const Eigen::VectorXd products = unit.cosines * v;  // of the unit rows with U'v
  const double squared = v.dot(products);
  if (!(squared > 1e-20)) {
    // No direction has equal angles. Rows on one line: either unit vector of the line gives their
    // sum.
    const bool on_a_line = spectrum(unit.cosines).values.size() == 1;
    return Eigen::VectorXd::Constant(v.size(), on_a_line ? 1.0 : 0.0);
  }
  return v.cwiseQuotient(unit.norms) * (unit.norms.dot(products) / squared);
}

Eigen::VectorXd equal_projections(const Spectrum& s) {
  // Rows in coordinates, F = V l^1/2, the longest axis last. With Fc = |F_t| the answer is
  // v = V l^-1/2 c. Near the longest axis e c is e but for what |F_t| - F_t e asks, which is small.
  const Eigen::Index last = s.values.size() - 1;
  const Eigen::VectorXd roots = s.values.cwiseSqrt();
  Eigen::MatrixXd rows = s.vectors * roots.asDiagonal();
  const double side = rows.col(last).sum() < 0 ? -1 : 1;
  Eigen::VectorXd rest(rows.rows());
  for (Eigen::Index t = 0; t < rows.rows(); ++t) {
    const double along = side * rows(t, last), across = rows.row(t).head(last).squaredNorm();
    const double length = std::sqrt(along * along + across);
    rest[t] = along > 0 ? across / (length + along) : length - along;
  }
  Eigen::VectorXd c = (s.vectors.transpose() * rest).cwiseQuotient(roots);
  c[last] += side;
  return s.vectors * c.cwiseQuotient(roots);
}

}  // namespace mtl::solvers
