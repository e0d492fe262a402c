#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "mtl/task/metrics/class_scores.hpp"

namespace mtl {

/// Expected calibration error: the mean distance between the confidence of the decisions (the
/// largest softmax) and their accuracy, over bins of equal width, weighted by the samples in them.
/// Guo et al., ICML 2017 (arXiv 1706.04599). Predictions [N, C] or [N, C, ...] logits, targets [N]
/// or [N, ...] class indices, -100 missing. Sample weights [N] >= 0. Without any label: NaN.
/// Error: bins below 1.
struct CalibrationError {
  static constexpr bool higher_is_better = false;
  int64_t bins = 10;
  std::string name = "calibration_error";

  struct State {
    std::vector<double> confidence = {}, right = {};  // weighted sums by bin
    double weight = 0;

    void merge(const State& other) {
      if (other.confidence.empty()) return;
      if (confidence.empty()) {
        *this = other;
        return;
      }
      for (size_t bin = 0; bin < confidence.size(); ++bin) {
        confidence[bin] += other.confidence[bin];
        right[bin] += other.right[bin];
      }
      weight += other.weight;
    }
  };
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    if (bins < 1) throw Error("CalibrationError: {} bins, expected at least 1", bins);
    auto scores = task_detail::class_scores_of(predictions, targets, sample_weights);
    state.confidence.resize(static_cast<size_t>(bins));
    state.right.resize(static_cast<size_t>(bins));
    if (scores.samples() == 0) return;
    state.weight += scores.has_nan() ? task_detail::no_value : scores.weights.sum().item<double>();
    scores.scores = scores.scores.softmax(1);
    for (int64_t n = 0; n < scores.samples(); ++n) {
      const int64_t decision = scores.decision(n);
      const double probability = scores.row(n)[decision];
      if (std::isnan(probability)) continue;
      // Bins are open below and closed above.
      const double edge = std::ceil(probability * static_cast<double>(bins)) - 1;
      const auto bin = static_cast<size_t>(std::clamp(edge, 0.0, static_cast<double>(bins - 1)));
      state.confidence[bin] += scores.weight(n) * probability;
      state.right[bin] += decision == scores.label(n) ? scores.weight(n) : 0;
    }
  }
  double value(const State& state) const {
    if (state.weight == 0) return task_detail::no_value;
    double distance = 0;
    for (size_t bin = 0; bin < state.confidence.size(); ++bin)
      distance += std::abs(state.confidence[bin] - state.right[bin]);
    return distance / state.weight;
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
