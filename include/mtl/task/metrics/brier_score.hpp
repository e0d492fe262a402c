#pragma once

#include <cmath>
#include <string>

#include "mtl/task/metrics/class_scores.hpp"
#include "mtl/task/metrics/outputs.hpp"

namespace mtl {

/// Mean squared distance of probabilities and truth (Brier 1950): calibration and sharpness in one.
///     classes:  sum_c (p_c - [c = t])^2, p = softmax(y), between 0 and 2
///     yes/no:   (s(y) - t)^2, s = sigmoid, between 0 and 1; two classes give twice as much
///
/// Predictions [N, C] or [N, C, ...] logits, targets [N] or [N, ...] class indices, -100 missing;
/// or predictions [N, ...] logits of a yes, targets of the same shape in [0, 1], NaN missing, every
/// labelled entry by itself. Sample weights [N] >= 0. Without any label: NaN.
struct BrierScore {
  static constexpr bool higher_is_better = false, takes_logits = true;
  std::string name = "brier";

  using State = task_detail::WeightedMean;
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    if (task_detail::are_class_scores(predictions, targets)) {
      const auto scores = task_detail::class_scores_of(predictions, targets, sample_weights);
      const Tensor distance =
          scores.scores.softmax(1) -
          torch::zeros_like(scores.scores).scatter(1, scores.truth.unsqueeze(1), 1);
      state.add(distance.square().sum(1).dot(scores.weights).item<double>(),
                scores.weights.sum().item<double>());
      return;
    }
    for (const auto& pairs : task_detail::pairs_by_output(predictions, targets, sample_weights))
      for (size_t i = 0; i < pairs.size(); ++i) {
        const double distance = 1 / (1 + std::exp(-pairs.predicted[i])) - pairs.truth[i];
        state.add(pairs.weights[i] * distance * distance, pairs.weights[i]);
      }
  }
  double value(const State& state) const { return state.value(); }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
