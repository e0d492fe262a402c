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

// One-sided Jacobi: rotates the columns of X = PL until they are orthogonal; PLL'P' = G. Their
// lengths are the singular values, their directions the eigenvectors.
Pairs by_jacobi(const MatrixXd& g) {
  const int n = static_cast<int>(g.rows());
  // Cholesky with diagonal pivoting, stopped where the rest is rounding of its own rows.
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

// C^-1 b by Cholesky, b in place of the answer; false where an eigenvalue of G may be too small to
// count. None is smaller than the least squared norm / trace(C^-1), or larger than the trace of G.
bool solve_full_rank(const detail::UnitRows& unit, double least, VectorXd& b) {
  const int n = unit.size();
  MatrixXd l = unit.cosines;
  if (detail::cholesky(l.data(), n, n, n * kEpsilon) < n) return false;
  // trace(C^-1) = |L^-1|^2
  const double trace_of_inverse =
      l.triangularView<Eigen::Lower>().solve(MatrixXd::Identity(n, n)).squaredNorm();
  const double smallest = unit.norms.minCoeff();
  if (!(smallest * smallest / trace_of_inverse > least * unit.norms.squaredNorm())) return false;
  detail::cholesky_solve(l.data(), n, n, b.data());
  return true;
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
  const Pairs pairs = n == 2                          ? of_two(gramian)
                      : largest > kUnequal * smallest ? by_jacobi(gramian)
                                                      : by_tridiagonal(gramian, largest * largest);
  const Eigen::Index count = pairs.values.size();
  // Rows of like length that depend on each other leave eigenvalues of this size: the rounding of
  // the entries of G, a few times the rule's.
  const double rounding = largest > kUnequal * smallest ? 1.0 : 4.0;
  const double least = pairs.values[count - 1] * rounding * n * kEpsilon;
  Eigen::Index first = 0;
  while (first < count && !(pairs.values[first] > least)) ++first;
  result.values = pairs.values.tail(count - first);
  result.vectors = pairs.vectors.rightCols(count - first);
  return result;
}

VectorXd pseudo_solve(const MatrixXd& gramian, const VectorXd& b, double least) {
  if (b.size() != gramian.rows())
    throw Error("pseudo-inverse of a {0} x {0} Gramian: the right side has {1} entries",
                gramian.rows(), b.size());
  const auto unit = detail::unit_rows(gramian);
  // Sixteen: above the rank rule and what rounding adds to it.
  const double counts = std::max(least, 16.0 * unit.total * kEpsilon);
  if (unit.size() == unit.total && unit.total > 0) {
    VectorXd v = b.cwiseQuotient(unit.norms);
    if (solve_full_rank(unit, counts, v)) return v.cwiseQuotient(unit.norms);
  }
  const Spectrum s = spectrum(gramian);
  VectorXd parts = (s.vectors.transpose() * b).cwiseQuotient(s.values);
  for (Eigen::Index k = 0; k < parts.size(); ++k)
    if (!(s.values[k] > least * s.values[parts.size() - 1])) parts[k] = 0;
  return s.vectors * parts;
}

}  // namespace mtl::solvers
