#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "mtl/task/entries.hpp"
#include "mtl/task/streaming_metric.hpp"

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
  void add(double prediction, double target, double weight) {
    predicted.push_back(prediction);
    truth.push_back(target);
    weights.push_back(weight);
    total += weight;
  }
  void merge(const Pairs& other) {
    for (size_t i = 0; i < other.size(); ++i)
      add(other.predicted[i], other.truth[i], other.weights[i]);
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
    pairs.add(y.data_ptr<double>()[i], t.data_ptr<double>()[i], weights.data_ptr<double>()[i]);
  }
  return all;
}

/// The mean of `metric(part)` over the outputs that have a value.
template <class Parts, class F>
double mean_over_parts(const Parts& parts, F metric) {
  double sum = 0, outputs = 0;
  for (const auto& part : parts) {
    if (part.size() == 0) continue;
    const double value = metric(part);
    // NaN of the metric itself (one label, equal targets) is left out; NaN of a prediction is not.
    if (std::isnan(value) && !part.has_nan()) continue;
    sum += value;
    ++outputs;
  }
  return outputs == 0 ? no_value : sum / outputs;
}

/// The same of all rows.
template <class F>
double mean_over_outputs(const Tensor& predictions, const Tensor& targets,
                         const Tensor& sample_weights, F metric) {
  return mean_over_parts(pairs_by_output(predictions, targets, sample_weights), metric);
}

/// Weighted mean and mean squared distance from it (Chan et al. 1979), of batches that are each
/// exact by themselves.
struct Moments {
  double weight = 0, mean = 0, variance = 0;

  void merge(const Moments& other) {
    if (other.weight == 0) return;
    if (weight == 0) {
      *this = other;
      return;
    }
    const double all = weight + other.weight, distance = other.mean - mean;
    const double share = other.weight / all;
    variance =
        (1 - share) * variance + share * other.variance + share * (1 - share) * distance * distance;
    mean += share * distance;
    weight = all;
  }
};

/// What metrics of real values need to know of the rows of one output.
struct OutputSums {
  int64_t rows = 0;
  bool nan = false;                             // a prediction is
  double total = 0, absolute = 0, squared = 0;  // of the weights, of weighted errors
  double largest = 0;                           // absolute error
  double lowest_target = std::numeric_limits<double>::infinity(), highest_target = -lowest_target;
  Moments targets, errors;

  int64_t size() const { return rows; }
  bool has_nan() const { return nan; }

  void add(const Pairs& pairs) {
    if (pairs.size() == 0) return;
    for (size_t i = 0; i < pairs.size(); ++i) {
      const double error = std::abs(pairs.error(i)), weight = pairs.weights[i];
      total += weight;
      absolute += weight * error;
      squared += weight * (error * error);
      // A NaN stays.
      if (!(error <= largest) && !std::isnan(largest)) largest = error;
      lowest_target = std::min(lowest_target, pairs.truth[i]);
      highest_target = std::max(highest_target, pairs.truth[i]);
    }
    rows += static_cast<int64_t>(pairs.size());
    nan = nan || pairs.has_nan();
    targets.merge(moments(pairs, [&](size_t i) { return pairs.truth[i]; }));
    errors.merge(moments(pairs, [&](size_t i) { return pairs.error(i); }));
  }
  void merge(const OutputSums& other) {
    rows += other.rows;
    nan = nan || other.nan;
    total += other.total;
    absolute += other.absolute;
    squared += other.squared;
    if (!(other.largest <= largest) && !std::isnan(largest)) largest = other.largest;
    lowest_target = std::min(lowest_target, other.lowest_target);
    highest_target = std::max(highest_target, other.highest_target);
    targets.merge(other.targets);
    errors.merge(other.errors);
  }

 private:
  template <class F>
  static Moments moments(const Pairs& pairs, F value) {
    // From the first on, so that equal values have no variance but for nothing of rounding.
    const double first = value(0);
    const double center = first + pairs.mean([&](size_t i) { return value(i) - first; });
    return {pairs.total, center,
            pairs.mean([&](size_t i) { return (value(i) - center) * (value(i) - center); })};
  }
};

/// The State of metrics of real values: OutputSums by output.
struct OutputsState {
  std::vector<OutputSums> outputs;

  void add(const Tensor& predictions, const Tensor& targets, const Tensor& sample_weights) {
    const std::vector<Pairs> pairs = pairs_by_output(predictions, targets, sample_weights);
    resize(pairs.size());
    for (size_t k = 0; k < pairs.size(); ++k) outputs[k].add(pairs[k]);
  }
  void merge(const OutputsState& other) {
    if (other.outputs.empty()) return;
    resize(other.outputs.size());
    for (size_t k = 0; k < outputs.size(); ++k) outputs[k].merge(other.outputs[k]);
  }
  /// The mean of `metric(OutputSums)` over the outputs that have a value.
  template <class F>
  double mean(F metric) const {
    return mean_over_parts(outputs, metric);
  }

 private:
  void resize(size_t count) {
    if (outputs.empty()) outputs.resize(count);
    if (outputs.size() != count)
      throw Error("a batch has {} outputs, those before have {}", count, outputs.size());
  }
};

/// `1 - unexplained / total`, with scikit-learn's answers where the total is 0.
inline double explained_share(double unexplained, double total) {
  if (total != 0) return 1 - unexplained / total;
  if (std::isnan(unexplained)) return no_value;
  return unexplained == 0 ? 1 : 0;
}

}  // namespace mtl::task_detail
