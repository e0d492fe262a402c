#pragma once

#include <string>

#include "mtl/task/metrics/confusion_matrix.hpp"

namespace mtl {

/// Agreement beyond chance, at most 1 (Cohen 1960). NaN where chance agrees always: one class only.
/// Takes what confusion_matrix.hpp says.
struct CohenKappa {
  static constexpr bool higher_is_better = true;
  std::string name = "cohen_kappa";

  using State = task_detail::DecisionCounts;
  double value(const State& state) const {
    const auto counts = state.counts();
    if (counts.none()) return task_detail::no_value;
    double chance = 0;
    for (size_t c = 0; c < counts.classes(); ++c) chance += counts.truth[c] * counts.predicted[c];
    chance /= counts.total * counts.total;
    if (chance == 1) return task_detail::no_value;
    return (counts.all_right / counts.total - chance) / (1 - chance);
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
