#include "non_negative_qp.hpp"

#include <algorithm>
#include <cmath>

#include "constants.hpp"
#include "dense.hpp"
#include "mtl/core/error.hpp"

namespace mtl::solvers::detail {
NonNegativeQp::NonNegativeQp(const Eigen::MatrixXd& m)
    : m_(m),
      n_(static_cast<int>(m.rows())),
      pivot_tolerance_(8.0 * n_ * kEpsilon),
      factor_(m.size()),
      values_(n_),
      gradient_(n_),
      inside_(n_) {
  support_.reserve(n_);
  columns_.reserve(n_);
}

NonNegativeQp::Outcome NonNegativeQp::solve(const double* b, double* x) {
  if (solve_by_blocks(b, x)) return Outcome::optimal;
  return solve_one_by_one(b, x);
}

// gradient_ = b - Mx; returns what is rounding in it.
double NonNegativeQp::set_gradient(const double* b, const double* x) {
  columns_.clear();
  double size = 0;
  int used = 0;
  for (int j = 0; j < n_; ++j) {
    gradient_[j] = b[j];
    size = std::max(size, std::abs(b[j]));
    if (x[j] != 0) {
      columns_.push_back(j);
      values_[used++] = x[j];
    }
  }
  add_columns(m_.data(), n_, n_, columns_.data(), values_.data(), used, -1.0, gradient_.data());
  for (int k = 0; k < used; ++k)
    size = std::max(size, std::abs(values_[k]) * m_(columns_[k], columns_[k]));
  return 8.0 * std::sqrt(static_cast<double>(n_)) * kEpsilon * size;
}

bool NonNegativeQp::solve_by_blocks(const double* b, double* x) {
  constexpr int kPatience = 3;  // rounds without progress before the exchanges count as cycling
  for (int j = 0; j < n_; ++j) inside_[j] = b[j] > 0;
  int best = n_ + 1, patience = kPatience;
  while (true) {
    support_.clear();
    for (int j = 0; j < n_; ++j)
      if (inside_[j]) support_.push_back(j);
    const int k = static_cast<int>(support_.size());
    for (int c = 0; c < k; ++c) {
      const double* from = m_.data() + static_cast<std::ptrdiff_t>(support_[c]) * n_;
      double* to = factor_.data() + static_cast<std::ptrdiff_t>(c) * k;
      for (int r = c; r < k; ++r) to[r] = from[support_[r]];
      values_[c] = b[support_[c]];
    }
    if (cholesky(factor_.data(), k, k, pivot_tolerance_) < k) return false;
    cholesky_solve(factor_.data(), k, k, values_.data());

    int wrong = 0;
    std::fill(x, x + n_, 0.0);
    for (int c = 0; c < k; ++c) x[support_[c]] = values_[c];
    const double noise = set_gradient(b, x);
    for (int j = 0; j < n_; ++j) {
      if (inside_[j] ? x[j] < 0 : gradient_[j] > noise) {
        inside_[j] ^= 1;
        ++wrong;
      }
    }
    if (wrong == 0) return true;
    if (wrong < best) {
      best = wrong;
      patience = kPatience;
    } else if (--patience == 0) {
      return false;
    }
  }
}

NonNegativeQp::Outcome NonNegativeQp::solve_one_by_one(const double* b, double* x) {
  GrowingCholesky factor(m_);
  std::vector<double> row(n_), step(n_);
  std::vector<char> excluded(n_, 0);
  std::fill(x, x + n_, 0.0);
  std::fill(inside_.begin(), inside_.end(), 0);

  for (int pivots = 0;; ++pivots) {
    if (pivots > 200 + 50 * n_)
      throw Error("non-negative quadratic programme of {} variables: no solution after {} pivots",
                  n_, pivots);
    const double noise = set_gradient(b, x);
    int enter = -1;
    for (int j = 0; j < n_; ++j)
      if (!inside_[j] && !excluded[j] && gradient_[j] > noise &&
          (enter < 0 || gradient_[j] > gradient_[enter]))
        enter = j;
    if (enter < 0) break;

    // Move x_enter up with the support kept optimal; drop what reaches zero on the way.
    double slope = gradient_[enter];
    bool moved = false;
    while (true) {
      const auto& support = factor.support();
      const int k = factor.size();
      double curvature = factor.project(enter, row.data());
      std::copy(row.begin(), row.begin() + k, step.begin());
      factor.back_substitute(step.data());  // x_support changes by -step for each unit of x_enter
      if (curvature <= pivot_tolerance_ * m_(enter, enter)) curvature = 0;
      const double full = curvature > 0 ? slope / curvature : kInfinity;
      double bound = kInfinity;
      int leave = -1;
      for (int i = 0; i < k; ++i)
        if (step[i] > 0 && x[support[i]] < bound * step[i]) {
          bound = x[support[i]] / step[i];
          leave = i;
        }
      const double length = std::min(full, bound);
      if (length == kInfinity) {
        // The row depends on the support with no cancelling sign. Either b is outside the range
        // of M, or the slope is rounding that a vanishing curvature cannot bound.
        double size = std::abs(b[enter]);
        for (int i = 0; i < k; ++i) size += std::abs(step[i] * b[support[i]]);
        if (slope > std::sqrt(kEpsilon) * size) {
          std::fill(x, x + n_, 0.0);
          for (int i = 0; i < k; ++i) x[support[i]] = std::max(0.0, -step[i]);
          x[enter] = 1;
          return Outcome::unbounded;
        }
        excluded[enter] = 1;
        break;
      }
      for (int i = 0; i < k; ++i) x[support[i]] -= length * step[i];
      x[enter] += length;
      slope -= length * curvature;
      moved |= length > 0;
      if (full <= bound) {
        inside_[enter] = 1;
        factor.append(enter, row.data(), curvature);
        break;
      }
      x[support[leave]] = 0;
      inside_[support[leave]] = 0;
      factor.remove(leave);
    }
    if (moved && !excluded[enter]) std::fill(excluded.begin(), excluded.end(), 0);
  }

  // One step of refinement on the final support removes the rounding of the path to it.
  set_gradient(b, x);
  const auto& support = factor.support();
  for (int i = 0; i < factor.size(); ++i) step[i] = gradient_[support[i]];
  factor.solve(step.data());
  for (int i = 0; i < factor.size(); ++i) x[support[i]] = std::max(0.0, x[support[i]] + step[i]);
  return Outcome::optimal;
}

}  // namespace mtl::solvers::detail
