#pragma once

#include <string>

#include "mtl/task/metrics/confusion_matrix.hpp"

namespace mtl {

/// Share of right decisions. Takes what confusion_matrix.hpp says.
struct Accuracy {
  static constexpr bool higher_is_better = true;
  std::string name = "accuracy";

  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    const auto counts = task_detail::count(predictions, targets, sample_weights);
    return counts.none() ? task_detail::no_value : counts.all_right / counts.total;
  }
};

}  // namespace mtl
