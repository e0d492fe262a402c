#include "mtl/combine/solvers/spectrum.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "constants.hpp"
#include "dense.hpp"
#include "unit_rows.hpp"

namespace mtl::solvers {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

struct Pairs {
  VectorXd values;  // ascending
  MatrixXd vectors;
};

// The scale of G leaves before its eigenvalues are squared and summed inside Eigen.
Pairs by_tridiagonal(const MatrixXd& g, double scale) {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(g / scale);
  if (solver.info() != Eigen::Success)
    throw Error("eigenvalues of a {} x {} Gramian: no convergence", g.rows(), g.rows());
  return {solver.eigenvalues() * scale, solver.eigenvectors()};
}

Pairs of_two(const MatrixXd& g) {
  // The smaller eigenvalue from the determinant, whose cancellation is that of the data.
  const double a = g(0, 0), b = g(0, 1), d = g(1, 1);
  const double half = 0.5 * (a - d), root = std::hypot(half, b);
  const double large = 0.5 * (a + d) + root;
  const double small = large > 0 ? std::max(0.0, (a / large) * d - (b / large) * b) : 0.0;
  // Of the two rows of G - small, or of large - G, the one without cancellation.
  Eigen::Vector2d top =
      half >= 0 ? Eigen::Vector2d(half + root, b) : Eigen::Vector2d(b, root - half);
  const double length = top.norm();
  top = length > 0 ? Eigen::Vector2d(top / length) : Eigen::Vector2d(1, 0);
  Pairs pairs{Eigen::Vector2d(small, large), MatrixXd(2, 2)};
  pairs.vectors << -top[1], top[0], top[0], top[1];
  return pairs;
}

// One-sided Jacobi: rotates the columns of X until they are orthogonal; XX' = G. Their lengths are
// the singular values, their directions the eigenvectors.
Pairs by_rotations(MatrixXd x) {
  const int n = static_cast<int>(x.rows()), rank = static_cast<int>(x.cols());
  constexpr int kMostSweeps = 60;  // six to ten as a rule
  for (int sweep = 0;; ++sweep) {
    if (sweep == kMostSweeps)
      throw Error("eigenvalues of a {} x {} Gramian: no convergence after {} sweeps", n, n, sweep);
    bool rotated = false;
    for (int p = 0; p < rank; ++p)
      for (int q = p + 1; q < rank; ++q) {
        const double pp = x.col(p).squaredNorm(), qq = x.col(q).squaredNorm();
        const double pq = x.col(p).dot(x.col(q));
        if (std::abs(pq) <= n * kEpsilon * std::sqrt(pp) * std::sqrt(qq)) continue;
        rotated = true;
        const double zeta = (qq - pp) / (2.0 * pq);
        const double t = std::copysign(1.0, zeta) / (std::abs(zeta) + std::hypot(1.0, zeta));
        const double cosine = 1.0 / std::hypot(1.0, t), sine = cosine * t;
        const VectorXd left = x.col(p);
        x.col(p) = cosine * left - sine * x.col(q);
        x.col(q) = sine * left + cosine * x.col(q);
      }
    if (!rotated) break;
  }
  std::vector<int> order(rank);
  std::iota(order.begin(), order.end(), 0);
  const VectorXd squared = x.colwise().squaredNorm();
  std::sort(order.begin(), order.end(), [&](int i, int j) { return squared[i] < squared[j]; });
  Pairs pairs{VectorXd(rank), MatrixXd(n, rank)};
  for (int k = 0; k < rank; ++k) {
    pairs.values[k] = squared[order[k]];
    pairs.vectors.col(k) = x.col(order[k]) / std::sqrt(squared[order[k]]);
  }
  return pairs;
}

// The same from G: Cholesky with diagonal pivoting, stopped where the rest of every row is rounding
// of that row, so that cosines and not lengths decide the rank.
Pairs by_jacobi(const MatrixXd& g) {
  const int n = static_cast<int>(g.rows());
  MatrixXd rest = g, x = MatrixXd::Zero(n, n);
  std::vector<char> done(n, 0);
  int rank = 0;
  for (; rank < n; ++rank) {
    int pivot = -1;
    for (int i = 0; i < n; ++i)
      if (!done[i] && rest(i, i) > 8.0 * n * kEpsilon * g(i, i) &&
          (pivot < 0 || rest(i, i) > rest(pivot, pivot)))
        pivot = i;
    if (pivot < 0) break;
    done[pivot] = 1;
    const double root = std::sqrt(rest(pivot, pivot));
    for (int i = 0; i < n; ++i) x(i, rank) = done[i] && i != pivot ? 0.0 : rest(i, pivot) / root;
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) rest(i, j) -= x(i, rank) * x(j, rank);
  }
  return by_rotations(x.leftCols(rank));
}

// C^-1 b by Cholesky, b in place of the answer; false where C is not safely regular.
bool solve_regular(const MatrixXd& cosines, VectorXd& b) {
  // With smaller pivots the rounding of the factor, and not that of G, would decide the answer.
  constexpr double kSafe = 1e-6;
  const int n = static_cast<int>(cosines.rows());
  MatrixXd l = cosines;
  if (detail::cholesky(l.data(), n, n, kSafe) < n) return false;
  detail::cholesky_solve(l.data(), n, n, b.data());
  return true;
}

// The same from G itself with more digits, so that nothing is rounded but G; false where the rows
// depend on each other. b is not scaled by the lengths of the rows.
bool solve_nearly_singular(const MatrixXd& g, VectorXd& b) {
  using Long = long double;
  using Matrix = Eigen::Matrix<Long, Eigen::Dynamic, Eigen::Dynamic>;
  const Eigen::Index n = g.rows();
  // LDL' of the cosines with diagonal pivoting.
  Eigen::Matrix<Long, Eigen::Dynamic, 1> norms(n), x(n), d(n);
  for (Eigen::Index i = 0; i < n; ++i) norms[i] = std::sqrt(static_cast<Long>(g(i, i)));
  Matrix rest(n, n), l = Matrix::Zero(n, n);
  for (Eigen::Index j = 0; j < n; ++j)
    for (Eigen::Index i = 0; i < n; ++i)
      rest(i, j) = static_cast<Long>(g(i, j)) / norms[i] / norms[j];
  std::vector<Eigen::Index> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (Eigen::Index k = 0; k < n; ++k) {
    Eigen::Index pivot = k;
    for (Eigen::Index i = k + 1; i < n; ++i)
      if (rest(order[static_cast<size_t>(i)], order[static_cast<size_t>(i)]) >
          rest(order[static_cast<size_t>(pivot)], order[static_cast<size_t>(pivot)]))
        pivot = i;
    std::swap(order[static_cast<size_t>(k)], order[static_cast<size_t>(pivot)]);
    const Eigen::Index at = order[static_cast<size_t>(k)];
    d[k] = rest(at, at);
    if (!(d[k] > 8.0L * static_cast<Long>(n) * kEpsilon)) return false;
    for (Eigen::Index i = 0; i < n; ++i) l(i, k) = rest(i, at) / d[k];
    for (Eigen::Index j = k + 1; j < n; ++j) {
      const Eigen::Index column = order[static_cast<size_t>(j)];
      for (Eigen::Index i = k + 1; i < n; ++i) {
        const Eigen::Index row = order[static_cast<size_t>(i)];
        rest(row, column) -= l(row, k) * l(column, k) * d[k];
      }
    }
  }
  for (Eigen::Index i = 0; i < n; ++i) x[i] = static_cast<Long>(b[i]) / norms[i];
  for (Eigen::Index k = 0; k < n; ++k)
    for (Eigen::Index i = k + 1; i < n; ++i)
      x[order[static_cast<size_t>(i)]] -=
          l(order[static_cast<size_t>(i)], k) * x[order[static_cast<size_t>(k)]];
  for (Eigen::Index k = n; k-- > 0;) {
    Long& value = x[order[static_cast<size_t>(k)]];
    value /= d[k];
    for (Eigen::Index i = k + 1; i < n; ++i)
      value -= l(order[static_cast<size_t>(i)], k) * x[order[static_cast<size_t>(i)]];
  }
  for (Eigen::Index i = 0; i < n; ++i) b[i] = static_cast<double>(x[i] / norms[i]);
  return true;
}

VectorXd inverse_times(const Pairs& pairs, const VectorXd& b) {
  return pairs.vectors * (pairs.vectors.transpose() * b).cwiseQuotient(pairs.values);
}

}  // namespace

Spectrum spectrum(const MatrixXd& gramian) {
  const auto unit = detail::unit_rows(gramian);
  const int n = unit.total;
  Spectrum result{VectorXd(0), MatrixXd(n, 0)};
  if (unit.size() == 0) return result;
  const double largest = unit.norms.maxCoeff(), smallest = unit.norms.minCoeff();
  // The tridiagonal way loses digits of an eigenvalue as it lies below the largest; up to rows
  // this unequal the loss is no worse than what nearly parallel rows of one length suffer.
  constexpr double kUnequal = 30.0;
  const bool unequal = largest > kUnequal * smallest;
  const Pairs pairs = n == 2    ? of_two(gramian)
                      : unequal ? by_jacobi(gramian)
                                : by_tridiagonal(gramian, largest * largest);
  const Eigen::Index count = pairs.values.size();
  Eigen::Index first = 0;
  if (n == 2) {
    const double cosine = unit.size() == 2 ? unit.cosines(0, 1) : 1;
    first = (1 - cosine) * (1 + cosine) > 8.0 * n * kEpsilon ? 0 : 1;
  } else if (!unequal) {
    // Rows of like length that depend on each other leave eigenvalues of this size: the rounding of
    // the entries of G, a few times T * epsilon. Jacobi's have been left out by their cosines.
    const double least = pairs.values[count - 1] * 4.0 * n * kEpsilon;
    while (first < count && !(pairs.values[first] > least)) ++first;
  }
  result.values = pairs.values.tail(count - first);
  result.vectors = pairs.vectors.rightCols(count - first);
  return result;
}

bool is_well_known(const MatrixXd& gramian) {
  MatrixXd l = detail::unit_rows(gramian).cosines;
  const int n = static_cast<int>(l.rows());
  return detail::cholesky(l.data(), n, n, 1e-8) == n;
}

Spectrum refined(const MatrixXd& gramian, const GramianOf& gramian_of) {
  const Spectrum s = spectrum(gramian);
  if (s.values.size() < gramian.rows()) return s;  // what is left is well known
  // B = l^-1/2 V' makes orthonormal rows of J, up to what G did not know of them: G = F C F' with
  // F = V l^1/2 and C, the Gramian of BJ, near the unit matrix.
  MatrixXd l = gramian_of(s.values.cwiseSqrt().cwiseInverse().asDiagonal() * s.vectors.transpose());
  const int n = static_cast<int>(l.rows());
  if (!l.allFinite() || detail::cholesky(l.data(), n, n, 0.5) < n) return s;
  l.triangularView<Eigen::StrictlyUpper>().setZero();
  const Pairs pairs = by_rotations(s.vectors * s.values.cwiseSqrt().asDiagonal() * l);
  return {pairs.values, pairs.vectors};
}

VectorXd spectral_product(const Spectrum& s, const VectorXd& factors, const VectorXd& b) {
  return s.vectors * (s.vectors.transpose() * b).cwiseProduct(factors);
}

MatrixXd coordinates(const MatrixXd& gramian) {
  const Spectrum s = spectrum(gramian);
  return s.values.cwiseSqrt().asDiagonal() * s.vectors.transpose();
}

VectorXd pseudo_solve(const MatrixXd& gramian, const VectorXd& b) {
  if (b.size() != gramian.rows())
    throw Error("pseudo-inverse of a {} x {} Gramian: the right side has {} entries",
                gramian.rows(), gramian.rows(), b.size());
  const auto unit = detail::unit_rows(gramian);
  if (unit.size() == 0) return VectorXd::Zero(b.size());
  if (unit.size() == unit.total) {
    VectorXd v = b.cwiseQuotient(unit.norms);
    if (solve_regular(unit.cosines, v)) return v.cwiseQuotient(unit.norms);
    v = b;
    if (solve_nearly_singular(gramian, v)) return v;
  }
  return inverse_times(by_jacobi(gramian), b);
}

}  // namespace mtl::solvers
