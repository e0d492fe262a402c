#pragma once

#include <string>

#include "mtl/task/metrics/confusion_matrix.hpp"

namespace mtl {

/// Intersection over union of decisions and truth, the mean over the classes that occur in either.
/// Takes what confusion_matrix.hpp says. Maps: predictions [N, C, H, W], targets [N, H, W].
struct MeanIou {
  static constexpr bool higher_is_better = true;
  std::string name = "mean_iou";

  using State = task_detail::DecisionCounts;
  double value(const State& state) const {
    return task_detail::average_of(state.counts(), Average::macro,
                                   [](double right, double truth, double predicted) {
                                     return right / (truth + predicted - right);
                                   });
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
