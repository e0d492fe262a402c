#include "mtl/combine/solvers/equal_angles.hpp"

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

}  // namespace mtl::solvers
