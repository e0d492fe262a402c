#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "mtl/task/entries.hpp"

// Real values, or logits of a yes, against targets of the same shape: what several metrics take.
// [N] and [N, H, W] are one output, [N, K] and [N, K, H, W] are K.
namespace mtl::task_detail {

/// What counts of one output: labelled entries of a weight above 0.
struct Pairs {
  std::vector<double> predicted, truth, weights;
  double total = 0;  // of the weights

  size_t size() const { return truth.size(); }
  double error(size_t i) const { return truth[i] - predicted[i]; }

  /// The weighted mean of `f(i)`.
  template <class F>
  double mean(F f) const {
    double sum = 0;
    for (size_t i = 0; i < size(); ++i) sum += weights[i] * f(i);
    return size() == 0 ? no_value : sum / total;
  }
  /// Weighted mean squared distance of the targets from their mean.
  double target_variance() const {
    const double center = mean([this](size_t i) { return truth[i]; });
    return mean([&](size_t i) { return (truth[i] - center) * (truth[i] - center); });
  }
  bool has_nan() const {
    for (const double value : predicted)
      if (std::isnan(value)) return true;
    return false;
  }
};

/// Error: predictions and targets differ in shape.
inline std::vector<Pairs> pairs_by_output(const Tensor& predictions, const Tensor& targets,
                                          const Tensor& sample_weights) {
  const Tensor predicted = predictions.detach().to(torch::kCPU, torch::kDouble);
  const Tensor truth = match_target(predicted, targets);
  const bool channels = predicted.dim() == 2 || predicted.dim() > 3;
  const int64_t outputs = channels ? predicted.size(1) : 1;
  const auto by_output = [&](const Tensor& values) {
    const Tensor shaped = values.reshape(predicted.sizes());
    return channels ? shaped.transpose(0, 1).reshape({outputs, -1}).contiguous()
                    : shaped.reshape({1, -1}).contiguous();
  };
  const Tensor y = by_output(predicted), t = by_output(truth);
  const Tensor counts = by_output(entries_that_count(targets, sample_weights));
  const Tensor weights = by_output(weights_of_entries(targets, sample_weights));
  std::vector<Pairs> all(static_cast<size_t>(outputs));
  for (int64_t i = 0; i < counts.numel(); ++i) {
    if (!counts.data_ptr<bool>()[i]) continue;
    Pairs& pairs = all[static_cast<size_t>(i / counts.size(1))];
    pairs.predicted.push_back(y.data_ptr<double>()[i]);
    pairs.truth.push_back(t.data_ptr<double>()[i]);
    pairs.weights.push_back(weights.data_ptr<double>()[i]);
    pairs.total += pairs.weights.back();
  }
  return all;
}

/// The mean of `metric(Pairs)` over the outputs that have a value.
template <class F>
double mean_over_outputs(const Tensor& predictions, const Tensor& targets,
                         const Tensor& sample_weights, F metric) {
  double sum = 0, outputs = 0;
  for (const Pairs& pairs : pairs_by_output(predictions, targets, sample_weights)) {
    if (pairs.size() == 0) continue;
    const double value = metric(pairs);
    // NaN of the metric itself (one label, equal targets) is left out; NaN of a prediction is not.
    if (std::isnan(value) && !pairs.has_nan()) continue;
    sum += value;
    ++outputs;
  }
  return outputs == 0 ? no_value : sum / outputs;
}

/// `1 - unexplained / total`, with scikit-learn's answers where the total is 0.
inline double explained_share(double unexplained, double total) {
  if (total != 0) return 1 - unexplained / total;
  if (std::isnan(unexplained)) return no_value;
  return unexplained == 0 ? 1 : 0;
}

}  // namespace mtl::task_detail
