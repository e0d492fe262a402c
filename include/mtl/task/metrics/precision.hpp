#pragma once

#include <string>

#include "mtl/task/metrics/confusion_matrix.hpp"

namespace mtl {

/// Share of the predictions of a class that are right; 0 for a class never predicted.
/// Takes what confusion_matrix.hpp says.
struct Precision {
  static constexpr bool higher_is_better = true;
  Average average = Average::macro;
  std::string name = "precision";

  using State = task_detail::DecisionCounts;
  double value(const State& state) const {
    return task_detail::average_of(state.counts(), average,
                                   [](double right, double, double predicted) {
                                     return task_detail::ratio(right, predicted);
                                   });
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
