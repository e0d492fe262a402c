#include "mtl/evaluate/tuning/gaussian_process.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include <Eigen/Cholesky>

#include "minimize.hpp"
#include "mtl/core/error.hpp"
#include "mtl/evaluate/tuning/random_search.hpp"

namespace mtl::evaluate {
namespace {

using Eigen::ArrayXXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

const double root_of_5 = std::sqrt(5.0);

void check_kernel(const GaussianProcess::Kernel& kernel) {
  const bool scales = kernel.length_scales.allFinite() && (kernel.length_scales.array() > 0).all();
  if (!(kernel.variance > 0) || !std::isfinite(kernel.variance) || !scales ||
      !(kernel.noise >= 0) || !std::isfinite(kernel.noise))
    throw Error(
        "Gaussian process: variance and length scales must be positive, noise not negative; found "
        "variance {}, noise {}",
        kernel.variance, kernel.noise);
}

/// Distances [n, n] between rows, which are divided by the length scales.
MatrixXd distances(const MatrixXd& points) {
  const Eigen::Index n = points.rows();
  MatrixXd result(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j <= i; ++j)
      result(i, j) = result(j, i) = (points.row(i) - points.row(j)).norm();
  return result;
}

/// Of distances: what the kernel is, for variance 1.
template <class Array>
auto matern(const Array& r) {
  return ((1 + root_of_5 * r + 5.0 / 3 * r.square()) * (-root_of_5 * r).exp()).eval();
}

GaussianProcess::Kernel kernel_of(const VectorXd& logarithms) {
  const Eigen::Index dimensions = logarithms.size() - 2;
  return {std::exp(logarithms[0]), logarithms.segment(1, dimensions).array().exp().matrix(),
          std::exp(logarithms[dimensions + 1])};
}

}  // namespace

GaussianProcess::GaussianProcess(MatrixXd points, const VectorXd& values, Kernel kernel)
    : points_(std::move(points)), kernel_(std::move(kernel)), values_(values) {
  if (points_.rows() < 1 || points_.cols() < 1 || values_.size() != points_.rows() ||
      kernel_.length_scales.size() != points_.cols())
    throw Error("Gaussian process: points [{}, {}], {} values and {} length scales do not fit",
                points_.rows(), points_.cols(), values_.size(), kernel_.length_scales.size());
  if (!points_.allFinite() || !values_.allFinite())
    throw Error("Gaussian process: a point or value is not finite");
  check_kernel(kernel_);
  points_.array().rowwise() /= kernel_.length_scales.transpose().array();
  covariance_ = kernel_.variance * matern(distances(points_).array()).matrix();
  MatrixXd noisy = covariance_;
  noisy.diagonal().array() += kernel_.noise;
  const Eigen::LLT<MatrixXd> cholesky(noisy);
  if (cholesky.info() != Eigen::Success)
    throw Error(
        "Gaussian process: the covariance of {} points has no inverse; points are equal or close, "
        "give it noise above {}",
        points_.rows(), kernel_.noise);
  factor_ = cholesky.matrixL();
  weights_ = cholesky.solve(values_);
}

VectorXd GaussianProcess::covariances(const VectorXd& point) const {
  if (point.size() != points_.cols())
    throw Error("Gaussian process: a point of {} dimensions among points of {}", point.size(),
                points_.cols());
  const VectorXd scaled = point.cwiseQuotient(kernel_.length_scales);
  const Eigen::ArrayXd r = (points_.rowwise() - scaled.transpose()).rowwise().norm().array();
  return kernel_.variance * matern(r).matrix();
}

GaussianProcess::Prediction GaussianProcess::predict(const VectorXd& point) const {
  const VectorXd k = covariances(point);
  const VectorXd half = factor_.triangularView<Eigen::Lower>().solve(k);
  return {k.dot(weights_), std::sqrt(std::max(0.0, kernel_.variance - half.squaredNorm()))};
}

GaussianProcess::Slope GaussianProcess::slope(const VectorXd& point) const {
  const VectorXd k = covariances(point);
  const VectorXd half = factor_.triangularView<Eigen::Lower>().solve(k);
  const VectorXd solved = factor_.triangularView<Eigen::Lower>().transpose().solve(half);
  Slope result{{k.dot(weights_), std::sqrt(std::max(0.0, kernel_.variance - half.squaredNorm()))},
               VectorXd::Zero(point.size()),
               VectorXd::Zero(point.size())};
  // dk/dx_d = -5/3 variance (1 + sqrt(5) r) exp(-sqrt(5) r) (x_d - x'_d) / length_scale_d^2
  const VectorXd scaled = point.cwiseQuotient(kernel_.length_scales);
  const MatrixXd apart = -(points_.rowwise() - scaled.transpose());  // [n, D]
  const Eigen::ArrayXd r = apart.rowwise().norm().array();
  const Eigen::ArrayXd common =
      -5.0 / 3 * kernel_.variance * (1 + root_of_5 * r) * (-root_of_5 * r).exp();
  const MatrixXd slopes = (apart.array().colwise() * common).matrix() *
                          kernel_.length_scales.cwiseInverse().asDiagonal();
  result.mean = slopes.transpose() * weights_;
  if (result.at.deviation > 0)
    result.deviation = -(slopes.transpose() * solved) / result.at.deviation;
  return result;
}

double GaussianProcess::log_marginal_likelihood() const {
  const auto n = static_cast<double>(values_.size());
  return -0.5 * values_.dot(weights_) - factor_.diagonal().array().log().sum() -
         0.5 * n * std::log(2 * std::numbers::pi);
}

VectorXd GaussianProcess::log_marginal_likelihood_gradient() const {
  // d/dp = tr((w w' - K^-1) dK/dp) / 2
  const Eigen::Index n = points_.rows(), dimensions = points_.cols();
  MatrixXd inverse = MatrixXd::Identity(n, n);
  factor_.triangularView<Eigen::Lower>().solveInPlace(inverse);
  inverse = inverse.transpose() * inverse;
  const ArrayXXd surplus = (weights_ * weights_.transpose() - inverse).array();
  VectorXd gradient(dimensions + 2);
  gradient[0] = 0.5 * (surplus * covariance_.array()).sum();
  const ArrayXXd r = distances(points_).array();
  const ArrayXXd common =
      surplus * 5.0 / 3 * kernel_.variance * (1 + root_of_5 * r) * (-root_of_5 * r).exp();
  for (Eigen::Index d = 0; d < dimensions; ++d) {
    const VectorXd x = points_.col(d);
    // sum_ij common_ij (x_i - x_j)^2, common being symmetric
    const VectorXd sums = common.rowwise().sum().matrix();
    gradient[d + 1] = 0.5 * (2 * sums.dot(x.cwiseAbs2()) - 2 * x.dot(common.matrix() * x));
  }
  gradient[dimensions + 1] = 0.5 * kernel_.noise * surplus.matrix().trace();
  return gradient;
}

GaussianProcess GaussianProcess::fit(const MatrixXd& points, const VectorXd& values,
                                     const FitOptions& options) {
  if (options.starts < 1)
    throw Error("Gaussian process: {} starts of the fit, expected at least 1", options.starts);
  const Eigen::Index dimensions = points.cols(), size = dimensions + 2;
  VectorXd low(size), high(size), start(size);
  low.setConstant(std::log(options.low_length_scale));
  high.setConstant(std::log(options.high_length_scale));
  low[0] = std::log(options.low_variance), high[0] = std::log(options.high_variance);
  low[size - 1] = std::log(options.low_noise), high[size - 1] = std::log(options.high_noise);
  const double typical = std::log(options.typical_length_scale);
  start.setConstant(typical);
  start[0] = 0;
  start[size - 1] = std::log(0.01);
  start = start.cwiseMax(low).cwiseMin(high);
  const auto unlikelihood = [&](const VectorXd& logarithms, VectorXd& gradient) {
    try {
      const GaussianProcess process(points, values, kernel_of(logarithms));
      const VectorXd off =
          (logarithms.segment(1, dimensions).array() - typical) / options.length_scale_spread;
      gradient = -process.log_marginal_likelihood_gradient();
      gradient.segment(1, dimensions) += off / options.length_scale_spread;
      return off.squaredNorm() / 2 - process.log_marginal_likelihood();
    } catch (const Error&) {  // no inverse there; what is wrong with the data is thrown below
      gradient.setZero(logarithms.size());
      return std::numeric_limits<double>::infinity();
    }
  };
  VectorXd best = start, ignored;
  double least = unlikelihood(start, ignored);
  for (int64_t n = 0; n < options.starts; ++n) {
    VectorXd from = start;
    for (Eigen::Index d = 0; d < size && n > 0; ++d)
      from[d] =
          std::lerp(low[d], high[d],
                    evaluate_detail::uniform(options.seed, static_cast<uint64_t>(n * size + d)));
    const VectorXd found = evaluate_detail::minimize_in_box(unlikelihood, from, low, high, 60);
    if (const double value = unlikelihood(found, ignored); value < least) {
      least = value;
      best = found;
    }
  }
  return {points, values, kernel_of(best)};
}

GaussianProcess GaussianProcess::fit(const MatrixXd& points, const VectorXd& values) {
  return fit(points, values, FitOptions());
}

}  // namespace mtl::evaluate
