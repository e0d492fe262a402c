#pragma once

#include <string>

#include "mtl/task/metrics/confusion_matrix.hpp"

namespace mtl {

/// Share of right decisions. Takes what confusion_matrix.hpp says.
struct Accuracy {
  static constexpr bool higher_is_better = true;
  std::string name = "accuracy";

  using State = task_detail::DecisionCounts;
  double value(const State& state) const {
    const auto counts = state.counts();
    return counts.none() ? task_detail::no_value : counts.all_right / counts.total;
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
