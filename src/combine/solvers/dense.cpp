#include "dense.hpp"

#include <cmath>

#if defined(__x86_64__) && defined(__GNUC__)
#define MTL_HAS_AVX2_KERNELS 1
#define MTL_INLINE __attribute__((always_inline)) inline
#else
#define MTL_INLINE inline
#endif

namespace mtl::solvers::detail {
namespace {

// y[0..n) += scale * sum_k x[k] c[k][0..n), four columns a pass so that y is loaded and stored
// once.
template <class Column>
MTL_INLINE void accumulate(double* __restrict y, int n, int count, double scale, const double* x,
                           int x_stride, Column column) {
  int k = 0;
  for (; k + 4 <= count; k += 4) {
    const double x0 = scale * x[(k + 0) * x_stride], x1 = scale * x[(k + 1) * x_stride];
    const double x2 = scale * x[(k + 2) * x_stride], x3 = scale * x[(k + 3) * x_stride];
    const double* __restrict c0 = column(k);
    const double* __restrict c1 = column(k + 1);
    const double* __restrict c2 = column(k + 2);
    const double* __restrict c3 = column(k + 3);
    for (int i = 0; i < n; ++i) y[i] += (x0 * c0[i] + x1 * c1[i]) + (x2 * c2[i] + x3 * c3[i]);
  }
  for (; k < count; ++k) {
    const double xk = scale * x[k * x_stride];
    const double* __restrict c = column(k);
    for (int i = 0; i < n; ++i) y[i] += xk * c[i];
  }
}

MTL_INLINE int cholesky_body(double* a, int n, int stride, double tolerance) {
  for (int j = 0; j < n; ++j) {
    double* column = a + j * stride;
    const double least = tolerance * column[j];
    accumulate(column + j, n - j, j, -1.0, a + j, stride,
               [&](int k) { return a + k * stride + j; });
    if (!(column[j] > least)) return j;
    const double root = std::sqrt(column[j]), inverse = 1.0 / root;
    column[j] = root;
    for (int i = j + 1; i < n; ++i) column[i] *= inverse;
  }
  return n;
}

MTL_INLINE void cholesky_solve_body(const double* l, int n, int stride, double* x) {
  for (int j = 0; j < n; ++j) {
    const double* column = l + j * stride;
    const double xj = x[j] /= column[j];
    for (int i = j + 1; i < n; ++i) x[i] -= xj * column[i];
  }
  for (int j = n - 1; j >= 0; --j) {
    const double* column = l + j * stride;
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    int i = j + 1;
    for (; i + 4 <= n; i += 4) {
      s0 += column[i] * x[i];
      s1 += column[i + 1] * x[i + 1];
      s2 += column[i + 2] * x[i + 2];
      s3 += column[i + 3] * x[i + 3];
    }
    for (; i < n; ++i) s0 += column[i] * x[i];
    x[j] = (x[j] - ((s0 + s1) + (s2 + s3))) / column[j];
  }
}

MTL_INLINE void add_columns_body(const double* a, int n, int stride, const int* columns,
                                 const double* x, int count, double scale, double* y) {
  accumulate(y, n, count, scale, x, 1, [&](int k) { return a + columns[k] * stride; });
}

#ifdef MTL_HAS_AVX2_KERNELS
// One body, compiled twice; the processor decides. The answer differs from the portable one in the
// last bits (fused multiply-add), never between two runs on one machine.
#define MTL_AVX2 __attribute__((target("avx2,fma")))
MTL_AVX2 int cholesky_avx2(double* a, int n, int stride, double tolerance) {
  return cholesky_body(a, n, stride, tolerance);
}
MTL_AVX2 void cholesky_solve_avx2(const double* l, int n, int stride, double* x) {
  cholesky_solve_body(l, n, stride, x);
}
MTL_AVX2 void add_columns_avx2(const double* a, int n, int stride, const int* columns,
                               const double* x, int count, double scale, double* y) {
  add_columns_body(a, n, stride, columns, x, count, scale, y);
}
const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif

}  // namespace

int cholesky(double* a, int n, int stride, double tolerance) {
#ifdef MTL_HAS_AVX2_KERNELS
  if (has_avx2) return cholesky_avx2(a, n, stride, tolerance);
#endif
  return cholesky_body(a, n, stride, tolerance);
}

void cholesky_solve(const double* l, int n, int stride, double* x) {
#ifdef MTL_HAS_AVX2_KERNELS
  if (has_avx2) return cholesky_solve_avx2(l, n, stride, x);
#endif
  cholesky_solve_body(l, n, stride, x);
}

void add_columns(const double* a, int n, int stride, const int* columns, const double* x, int count,
                 double scale, double* y) {
#ifdef MTL_HAS_AVX2_KERNELS
  if (has_avx2) return add_columns_avx2(a, n, stride, columns, x, count, scale, y);
#endif
  add_columns_body(a, n, stride, columns, x, count, scale, y);
}

}  // namespace mtl::solvers::detail
