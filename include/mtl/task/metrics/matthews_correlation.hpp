#pragma once

#include <cmath>
#include <string>

#include "mtl/task/metrics/confusion_matrix.hpp"

namespace mtl {

/// Correlation of decisions and truth, -1 to 1 (Matthews; several classes: Gorodkin 2004). 0 where
/// either has one class only. Takes what confusion_matrix.hpp says.
struct MatthewsCorrelation {
  static constexpr bool higher_is_better = true;
  std::string name = "matthews";

  using State = task_detail::DecisionCounts;
  double value(const State& state) const {
    const auto counts = state.counts();
    if (counts.none()) return task_detail::no_value;
    double both = 0;
    double truths = 0;
    double predictions_squared = 0;
    for (size_t c = 0; c < counts.classes(); ++c) {
      both += counts.truth[c] * counts.predicted[c];
      truths += counts.truth[c] * counts.truth[c];
      predictions_squared += counts.predicted[c] * counts.predicted[c];
    }
    const double all = counts.total * counts.total;
    const double covariance = counts.all_right * counts.total - both;
    return task_detail::ratio(covariance,
                              std::sqrt(all - truths) * std::sqrt(all - predictions_squared));
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
