#pragma once

#include <string>

#include "mtl/core/tensor.hpp"

namespace mtl {

// Metrics of real values. Predictions and targets [N] or [N, K], where [N, 1] means [N]; NaN
// targets do not count. Several outputs: the mean over the outputs that have a value. Without any
// label: NaN.

/// Mean absolute error, in units of the target.
struct Mae {
  std::string name = "mae";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Root of the mean squared error, in units of the target.
struct Rmse {
  std::string name = "rmse";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Mean absolute error divided by the range (largest minus smallest) of the targets. NaN where all
/// targets are equal.
struct Nmae {
  std::string name = "nmae";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Coefficient of determination, `1 - sum (t - y)^2 / sum (t - mean t)^2`. Equal targets: 1 where
/// the predictions are exact, else 0. Fewer than two labels: NaN. As scikit-learn's r2_score.
struct R2 {
  static constexpr bool higher_is_better = true;
  std::string name = "r2";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// `1 - var(t - y) / var(t)`: R2 that forgives a constant offset. Equal targets as in R2.
struct ExplainedVariance {
  static constexpr bool higher_is_better = true;
  std::string name = "explained_variance";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Largest absolute error.
struct MaxError {
  std::string name = "max_error";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Median of the absolute errors; the mean of the middle two where their number is even.
struct MedianAbsoluteError {
  std::string name = "median_absolute_error";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

}  // namespace mtl
