#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <vector>

#include "constants.hpp"
#include "mtl/core/error.hpp"

namespace mtl::solvers::detail {

/// The Gramian with its rows scaled to unit norm and its zero rows left out: what every solver
/// works on, so that neither the scale of the losses nor a zero gradient is a special case.
struct UnitRows {
  Eigen::MatrixXd cosines;  ///< [n,n], ones on the diagonal
  Eigen::VectorXd norms;    ///< [n]
  std::vector<int> index;   ///< [n] row of the Gramian that each came from
  int total = 0;            ///< rows of the Gramian, zero rows included

  int size() const { return static_cast<int>(index.size()); }

  /// [n] -> [total], zero where the row is zero.
  Eigen::VectorXd scatter(const Eigen::VectorXd& values) const {
    if (size() == total) return values;
    Eigen::VectorXd all = Eigen::VectorXd::Zero(total);
    for (int i = 0; i < size(); ++i) all[index[i]] = values[i];
    return all;
  }
};

/// Throws where the Gramian is not square or holds NaN or Inf (naming the row).
inline UnitRows unit_rows(const Eigen::MatrixXd& gramian) {
  if (gramian.rows() != gramian.cols())
    throw Error("a Gramian is square, this one is {} x {}", gramian.rows(), gramian.cols());
  UnitRows unit;
  unit.total = static_cast<int>(gramian.rows());
  unit.index.reserve(unit.total);
  // The diagonal first: a bad row spoils its products with all others.
  for (int i = 0; i < unit.total; ++i)
    if (!std::isfinite(gramian(i, i)))
      throw Error("row {} of the Gramian holds NaN or Inf: check the loss of that task", i);
  for (int i = 0; i < unit.total; ++i) {
    if (!gramian.col(i).allFinite())
      throw Error("row {} of the Gramian holds NaN or Inf: check the loss of that task", i);
    // Below the smallest normal number a square has lost its digits.
    if (gramian(i, i) >= std::numeric_limits<double>::min()) unit.index.push_back(i);
  }
  const int n = unit.size();
  unit.norms.resize(n);
  unit.cosines.resize(n, n);
  for (int i = 0; i < n; ++i) unit.norms[i] = std::sqrt(gramian(unit.index[i], unit.index[i]));
  const Eigen::VectorXd inverse = unit.norms.cwiseInverse();
  for (int j = 0; j < n; ++j) {
    unit.cosines(j, j) = 1.0;
    for (int i = j + 1; i < n; ++i)
      unit.cosines(i, j) = unit.cosines(j, i) =
          gramian(unit.index[i], unit.index[j]) * inverse[i] * inverse[j];
  }
  return unit;
}

/// A convex combination of unit rows whose squared length x'Cx / (sum x)^2 is at most this cannot
/// be told from zero: the entries of C are themselves rounded to machine precision.
inline double stationary_tolerance(int n) { return 4.0 * n * kEpsilon; }

}  // namespace mtl::solvers::detail
