#pragma once

#include <string>

#include "mtl/task/metrics/confusion_matrix.hpp"

namespace mtl {

/// Harmonic mean of precision and recall. Takes what confusion_matrix.hpp says.
struct F1 {
  static constexpr bool higher_is_better = true;
  Average average = Average::macro;
  std::string name = "f1";

  using State = task_detail::DecisionCounts;
  double value(const State& state) const {
    return task_detail::average_of(state.counts(), average,
                                   [](double right, double truth, double predicted) {
                                     return 2 * right / (truth + predicted);
                                   });
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
