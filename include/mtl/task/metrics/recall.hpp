#pragma once

#include <string>

#include "mtl/task/metrics/confusion_matrix.hpp"

namespace mtl {

/// Share of the samples of a class that are found; 0 for a class that never occurs.
/// Takes what confusion_matrix.hpp says.
struct Recall {
  static constexpr bool higher_is_better = true;
  Average average = Average::macro;
  std::string name = "recall";

  using State = task_detail::DecisionCounts;
  double value(const State& state) const {
    return task_detail::average_of(state.counts(), average, [](double right, double truth, double) {
      return task_detail::ratio(right, truth);
    });
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
