#pragma once

#include <string>

#include "mtl/task/metrics/class_scores.hpp"

namespace mtl {

/// Mean negative log-likelihood of the true class. Predictions [N, C] or [N, C, ...] logits,
/// targets [N] or [N, ...] class indices, -100 missing. Sample weights [N] >= 0. Without any label:
/// NaN.
struct LogLoss {
  static constexpr bool higher_is_better = false;
  std::string name = "log_loss";

  using State = task_detail::WeightedMean;
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    const auto scores = task_detail::class_scores_of(predictions, targets, sample_weights);
    if (scores.samples() == 0) return;
    const Tensor likelihood =
        scores.scores.log_softmax(1).gather(1, scores.truth.unsqueeze(1)).squeeze(1);
    state.add(-likelihood.dot(scores.weights).item<double>(), scores.weights.sum().item<double>());
  }
  double value(const State& state) const { return state.value(); }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
