#pragma once

// The three dense kernels all solvers spend their time in. Matrices are column-major, lower
// triangles, with leading dimension `stride`; n is at most a few hundred. They exist beside Eigen
// because most calls have n <= 16, where Eigen's blocked kernels cost more than the work itself,
// and because they choose AVX2 at run time, which a portable build of Eigen cannot.

namespace mtl::solvers::detail {

/// Overwrites the lower triangle of A [n,n] by its Cholesky factor. Returns n, or the first column
/// whose pivot is at most `tolerance` times its diagonal entry (the matrix is singular to that
/// precision and half overwritten).
int cholesky(double* a, int n, int stride, double tolerance);

/// x <- (L L')^-1 x.
void cholesky_solve(const double* l, int n, int stride, double* x);

/// y [n] <- y + sum over k of scale * x[k] * (column columns[k] of A), `count` columns.
void add_columns(const double* a, int n, int stride, const int* columns, const double* x, int count,
                 double scale, double* y);

}  // namespace mtl::solvers::detail
