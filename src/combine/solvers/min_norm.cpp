#include "mtl/combine/solvers/min_norm.hpp"

#include <algorithm>

#include "non_negative_qp.hpp"
#include "unit_rows.hpp"

namespace mtl::solvers {
namespace {

// Two rows: where the segment between them comes closest to the origin.
Eigen::VectorXd two_rows(const Eigen::MatrixXd& g) {
  const double to_first = g(1, 1) - g(0, 1), to_second = g(0, 0) - g(0, 1);
  if (to_first <= 0) return Eigen::Vector2d(0, 1);
  if (to_second <= 0) return Eigen::Vector2d(1, 0);
  return Eigen::Vector2d(to_first, to_second) / (to_first + to_second);
}

// The minimum over  v >= 0, a'v = 1  of  v'Cv  is, but for its length, the non-negative least
// squares solution of  C v = 0, a'v = 1,  whose matrix C + aa' is regular wherever the rows are
// affinely independent; so stationary points need no case of their own.
Eigen::VectorXd unit_rows_weights(const detail::UnitRows& unit) {
  const Eigen::VectorXd a = unit.norms.minCoeff() * unit.norms.cwiseInverse();
  const Eigen::MatrixXd m = unit.cosines + a * a.transpose();
  Eigen::VectorXd v(unit.size());
  detail::NonNegativeQp(m).solve(a.data(), v.data());
  return v;
}

}  // namespace

HullPoint min_norm_point(const Eigen::MatrixXd& gramian) {
  const auto unit = detail::unit_rows(gramian);
  HullPoint point;
  if (unit.size() < unit.total) {  // a zero row
    point.weights = Eigen::VectorXd::Zero(unit.total);
    for (int i = 0; i < unit.total; ++i) {
      if (i < unit.size() && unit.index[i] == i) continue;
      point.weights[i] = 1;
      break;
    }
    point.stationary = true;
    return point;
  }
  if (unit.total == 0) return point;
  if (unit.total == 1) {
    point.weights = Eigen::VectorXd::Ones(1);
  } else if (unit.total == 2) {
    point.weights = two_rows(gramian);
  } else {
    point.weights = unit_rows_weights(unit).cwiseQuotient(unit.norms);
    point.weights /= point.weights.sum();
  }
  const Eigen::VectorXd v = point.weights.cwiseProduct(unit.norms);
  const double length = v.sum(), squared = v.dot(unit.cosines * v);
  point.squared_norm = std::max(0.0, squared);
  point.stationary = squared <= detail::stationary_tolerance(unit.size()) * length * length;
  return point;
}

}  // namespace mtl::solvers
