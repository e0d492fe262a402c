#pragma once

#include <cstdint>

#include <Eigen/Core>

namespace mtl::evaluate {

/// Regression by a Gaussian process of mean zero with the Matern 5/2 kernel and a length scale for
/// each dimension:
///     k(x, x') = variance (1 + sqrt(5) r + 5/3 r^2) exp(-sqrt(5) r),
///     r^2 = sum_d ((x_d - x'_d) / length_scale_d)^2;   values = function + noise
/// Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), chapters 2 and 5.
class GaussianProcess {
 public:
  struct Kernel {
    double variance = 1;            ///< of the function
    Eigen::VectorXd length_scales;  ///< [D]
    double noise = 1e-6;            ///< variance of what is added to each value
  };
  struct Prediction {
    double mean = 0;
    double deviation = 0;  ///< standard deviation of the function, noise not counted
  };
  /// A prediction with its derivatives by the point.
  struct Slope {
    Prediction at;
    Eigen::VectorXd mean, deviation;  ///< [D]
  };
  /// For points in the unit cube and values of mean 0 and deviation 1.
  struct FitOptions {
    double low_length_scale = 0.02, high_length_scale = 20;
    double low_variance = 0.01, high_variance = 100;
    double low_noise = 1e-8, high_noise = 1;
    /// What is thought of length scales before anything is seen: their logarithms are normal around
    /// that of `typical_length_scale`, with this deviation (infinite: nothing is thought). With few
    /// points in many dimensions the likelihood alone takes one for irrelevant too soon.
    double typical_length_scale = 0.5, length_scale_spread = 1;
    int64_t starts = 3;  ///< beginnings, drawn from `seed` but for the first
    uint64_t seed = 0;
  };

  /// points [n, D], values [n]; n and D at least 1.
  /// Error: shapes that do not fit, values that are not finite, a kernel that is not positive,
  /// points so close together without noise that their covariance has no inverse.
  GaussianProcess(Eigen::MatrixXd points, const Eigen::VectorXd& values, Kernel kernel);

  /// The process with the likeliest kernel, given the values: a local maximum of the marginal
  /// likelihood times the prior of the length scales, the best of those reached from some starts.
  /// Error: as the constructor; no start.
  static GaussianProcess fit(const Eigen::MatrixXd& points, const Eigen::VectorXd& values,
                             const FitOptions& options);
  static GaussianProcess fit(const Eigen::MatrixXd& points, const Eigen::VectorXd& values);

  Prediction predict(const Eigen::VectorXd& point) const;
  Slope slope(const Eigen::VectorXd& point) const;

  double log_marginal_likelihood() const;
  /// By the logarithms of variance, length scales and noise: [D + 2].
  Eigen::VectorXd log_marginal_likelihood_gradient() const;

  const Kernel& kernel() const { return kernel_; }

 private:
  Eigen::VectorXd covariances(const Eigen::VectorXd& point) const;

  Eigen::MatrixXd points_;  // [n, D], divided by the length scales
  Kernel kernel_;
  Eigen::VectorXd values_, weights_;  // [n]; weights = K^-1 values
  Eigen::MatrixXd covariance_;        // [n, n], noise not counted
  Eigen::MatrixXd factor_;            // K = L L', noise counted
};

}  // namespace mtl::evaluate
