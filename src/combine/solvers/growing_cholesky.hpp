#pragma once

#include <Eigen/Core>
#include <vector>

namespace mtl::solvers::detail {

/// Cholesky factor L of the rows and columns `support()` of a symmetric C [n,n], grown by one and
/// shrunk by one at O(size^2) each. Keeps a pointer to C, which must outlive it.
class GrowingCholesky {
 public:
  explicit GrowingCholesky(const Eigen::MatrixXd& c);

  int size() const { return static_cast<int>(support_.size()); }
  const std::vector<int>& support() const { return support_; }
  void clear() { support_.clear(); }

  /// row <- L^-1 C[support, variable]; returns the pivot C_vv - |row|^2.
  double project(int variable, double* row) const;
  /// Adds the variable whose row and (positive) pivot `project` gave.
  void append(int variable, const double* row, double pivot);
  /// Takes out the variable at this position of the support (Givens rotations).
  void remove(int position);

  void back_substitute(double* x) const;  ///< x <- L^-T x
  void solve(double* x) const;            ///< x <- (L L')^-1 x

 private:
  double* row(int i) { return rows_.data() + static_cast<std::ptrdiff_t>(i) * stride_; }
  const double* row(int i) const { return rows_.data() + static_cast<std::ptrdiff_t>(i) * stride_; }
  void substitute(double* x) const;  // x <- L^-1 x

  const Eigen::MatrixXd* c_;
  int stride_;
  std::vector<double> rows_;  // row-major lower triangle
  std::vector<int> support_;
};

}  // namespace mtl::solvers::detail
