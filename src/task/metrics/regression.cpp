#include "mtl/task/metrics/regression.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "mtl/task/labels.hpp"
#include "nan.hpp"

namespace mtl {
namespace {

/// Labelled pairs of one output.
struct Pairs {
  std::vector<double> predicted, truth;

  size_t size() const { return truth.size(); }
  double error(size_t i) const { return truth[i] - predicted[i]; }
};

double mean_of(const std::vector<double>& values) {
  return values.empty() ? nan
                        : std::accumulate(values.begin(), values.end(), 0.0) /
                              static_cast<double>(values.size());
}

/// Mean of `f(i)` over the pairs; NaN without pairs.
template <class F>
double mean_over(const Pairs& pairs, F f) {
  double sum = 0;
  for (size_t i = 0; i < pairs.size(); ++i) sum += f(i);
  return pairs.size() == 0 ? nan : sum / static_cast<double>(pairs.size());
}

/// The mean of a metric over the outputs [N, K] where it has a value.
template <class F>
double mean_over_outputs(const Tensor& predictions, const Tensor& targets, F metric) {
  const Tensor predicted = predictions.detach().to(torch::kCPU, torch::kDouble);
  const Tensor labelled = labelled_entries(targets).to(torch::kCPU);
  const Tensor truth = match_target(predicted, targets);
  const int64_t rows = truth.size(0);
  const int64_t outputs = rows == 0 ? 0 : truth.numel() / rows;
  const Tensor y = predicted.reshape({rows, outputs}).contiguous();
  const Tensor t = truth.reshape({rows, outputs}).contiguous();
  const Tensor known = labelled.reshape({rows, outputs}).contiguous();
  std::vector<double> values;
  for (int64_t k = 0; k < outputs; ++k) {
    Pairs pairs;
    for (int64_t n = 0; n < rows; ++n) {
      const int64_t i = n * outputs + k;
      if (!known.data_ptr<bool>()[i]) continue;
      pairs.predicted.push_back(y.data_ptr<double>()[i]);
      pairs.truth.push_back(t.data_ptr<double>()[i]);
    }
    if (pairs.size() == 0) continue;
    const double value = metric(pairs);
    // NaN of the metric itself (one label, equal targets) is left out; NaN of a prediction is not.
    if (!std::isnan(value) || std::isnan(mean_of(pairs.predicted))) values.push_back(value);
  }
  return mean_of(values);
}

double mean_absolute_error(const Pairs& pairs) {
  return mean_over(pairs, [&](size_t i) { return std::abs(pairs.error(i)); });
}

double mean_squared_error(const Pairs& pairs) {
  return mean_over(pairs, [&](size_t i) { return pairs.error(i) * pairs.error(i); });
}

/// Mean squared distance of the targets from their mean.
double target_variance(const Pairs& pairs) {
  const double mean = mean_of(pairs.truth);
  return mean_over(pairs, [&](size_t i) { return std::pow(pairs.truth[i] - mean, 2); });
}

/// `1 - unexplained / total`, with scikit-learn's answers where the total is 0.
double explained_share(double unexplained, double total) {
  if (total == 0) return unexplained == 0 ? 1 : (std::isnan(unexplained) ? nan : 0);
  return 1 - unexplained / total;
}

}  // namespace

double Mae::operator()(const Tensor& predictions, const Tensor& targets) const {
  return mean_over_outputs(predictions, targets, mean_absolute_error);
}

double Rmse::operator()(const Tensor& predictions, const Tensor& targets) const {
  return mean_over_outputs(predictions, targets,
                           [](const Pairs& pairs) { return std::sqrt(mean_squared_error(pairs)); });
}

double Nmae::operator()(const Tensor& predictions, const Tensor& targets) const {
  return mean_over_outputs(predictions, targets, [](const Pairs& pairs) {
    const auto [low, high] = std::minmax_element(pairs.truth.begin(), pairs.truth.end());
    return *high > *low ? mean_absolute_error(pairs) / (*high - *low) : nan;
  });
}

double R2::operator()(const Tensor& predictions, const Tensor& targets) const {
  return mean_over_outputs(predictions, targets, [](const Pairs& pairs) {
    if (pairs.size() < 2) return nan;
    return explained_share(mean_squared_error(pairs), target_variance(pairs));
  });
}

double ExplainedVariance::operator()(const Tensor& predictions, const Tensor& targets) const {
  return mean_over_outputs(predictions, targets, [](const Pairs& pairs) {
    const double offset = mean_over(pairs, [&](size_t i) { return pairs.error(i); });
    const double spread =
        mean_over(pairs, [&](size_t i) { return std::pow(pairs.error(i) - offset, 2); });
    return explained_share(spread, target_variance(pairs));
  });
}

double MaxError::operator()(const Tensor& predictions, const Tensor& targets) const {
  return mean_over_outputs(predictions, targets, [](const Pairs& pairs) {
    double largest = 0;
    for (size_t i = 0; i < pairs.size(); ++i) {
      const double error = std::abs(pairs.error(i));
      if (!(error <= largest)) largest = error;
    }
    return largest;
  });
}

double MedianAbsoluteError::operator()(const Tensor& predictions, const Tensor& targets) const {
  return mean_over_outputs(predictions, targets, [](const Pairs& pairs) {
    if (std::isnan(mean_of(pairs.predicted))) return nan;
    std::vector<double> errors(pairs.size());
    for (size_t i = 0; i < errors.size(); ++i) errors[i] = std::abs(pairs.error(i));
    std::sort(errors.begin(), errors.end());
    return (errors[(errors.size() - 1) / 2] + errors[errors.size() / 2]) / 2;
  });
}

}  // namespace mtl
