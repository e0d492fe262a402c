#pragma once

#include <string>

#include "mtl/task/entries.hpp"
#include "mtl/task/streaming_metric.hpp"

namespace mtl {

/// Mean binary cross-entropy of logits against scores in [0, 1], over all labelled entries.
/// Predictions and targets of one shape, [N] or [N, ...], NaN missing. Sample weights [N] >= 0. Its
/// floor for soft scores is their entropy, not 0. Without any label: NaN.
/// Error: a score outside [0, 1].
struct SoftBce {
  static constexpr bool higher_is_better = false, takes_logits = true;
  std::string name = "soft_bce";

  using State = task_detail::WeightedMean;
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    const Tensor counts = task_detail::entries_that_count(targets, sample_weights);
    check_scores(targets.to(torch::kCPU).masked_fill(counts.logical_not(), 0));
    const Tensor logits = predictions.detach().to(torch::kCPU, torch::kDouble);
    const Tensor scores = match_target(logits, targets);
    const Tensor counted = counts.reshape(logits.sizes());
    const Tensor weights = task_detail::weights_of_entries(targets, sample_weights)
                               .reshape(logits.sizes())
                               .masked_select(counted);
    if (weights.numel() == 0) return;
    const Tensor losses = torch::binary_cross_entropy_with_logits(
        logits.masked_select(counted), scores.masked_select(counted), {}, {}, at::Reduction::None);
    state.add(losses.dot(weights).item<double>(), weights.sum().item<double>());
  }
  double value(const State& state) const { return state.value(); }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
