#pragma once

#include <string>

#include "mtl/task/metrics/confusion_matrix.hpp"

namespace mtl {

/// Mean recall over the classes that occur in the targets. Takes what confusion_matrix.hpp says.
struct BalancedAccuracy {
  static constexpr bool higher_is_better = true;
  std::string name = "balanced_accuracy";

  using State = task_detail::DecisionCounts;
  double value(const State& state) const {
    const auto counts = state.counts();
    double sum = 0;
    double occurring = 0;
    for (size_t c = 0; c < counts.classes(); ++c) {
      if (counts.truth[c] == 0) continue;
      sum += counts.right[c] / counts.truth[c];
      ++occurring;
    }
    return counts.none() ? task_detail::no_value : sum / occurring;
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
