#include "growing_cholesky.hpp"

#include <cmath>

namespace mtl::solvers::detail {
namespace {

double dot(const double* a, const double* b, int n) {
  double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  int i = 0;
  for (; i + 4 <= n; i += 4) {
    s0 += a[i] * b[i];
    s1 += a[i + 1] * b[i + 1];
    s2 += a[i + 2] * b[i + 2];
    s3 += a[i + 3] * b[i + 3];
  }
  for (; i < n; ++i) s0 += a[i] * b[i];
  return (s0 + s1) + (s2 + s3);
}

}  // namespace

GrowingCholesky::GrowingCholesky(const Eigen::MatrixXd& c)
    : c_(&c), stride_(static_cast<int>(c.rows())), rows_(c.size()) {
  support_.reserve(stride_);
}

void GrowingCholesky::substitute(double* x) const {
  for (int i = 0; i < size(); ++i) x[i] = (x[i] - dot(row(i), x, i)) / row(i)[i];
}

void GrowingCholesky::back_substitute(double* x) const {
  for (int i = size() - 1; i >= 0; --i) {
    const double* li = row(i);
    x[i] /= li[i];
    for (int k = 0; k < i; ++k) x[k] -= x[i] * li[k];
  }
}

void GrowingCholesky::solve(double* x) const {
  substitute(x);
  back_substitute(x);
}

double GrowingCholesky::project(int variable, double* out) const {
  for (int i = 0; i < size(); ++i) out[i] = (*c_)(support_[i], variable);
  substitute(out);
  return (*c_)(variable, variable) - dot(out, out, size());
}

void GrowingCholesky::append(int variable, const double* projected, double pivot) {
  double* last = row(size());
  for (int i = 0; i < size(); ++i) last[i] = projected[i];
  last[size()] = std::sqrt(pivot);
  support_.push_back(variable);
}

void GrowingCholesky::remove(int position) {
  const int n = size() - 1;
  support_.erase(support_.begin() + position);
  for (int i = position; i < n; ++i) {
    double* li = row(i);
    const double* below = row(i + 1);
    for (int k = 0; k <= i + 1; ++k) li[k] = below[k];
  }
  // The rows moved up reach one past the diagonal: rotate columns k, k+1 to clear that entry.
  for (int k = position; k < n; ++k) {
    const double a = row(k)[k], b = row(k)[k + 1], r = std::hypot(a, b);
    const double cosine = a / r, sine = b / r;
    row(k)[k] = r;
    for (int i = k + 1; i < n; ++i) {
      double* li = row(i);
      const double left = li[k], right = li[k + 1];
      li[k] = cosine * left + sine * right;
      li[k + 1] = cosine * right - sine * left;
    }
  }
}

}  // namespace mtl::solvers::detail
