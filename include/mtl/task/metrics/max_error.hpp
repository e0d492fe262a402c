#pragma once

#include <cmath>
#include <string>

#include "mtl/task/metrics/outputs.hpp"

namespace mtl {

/// Largest absolute error among the rows that count.
///
/// Predictions and targets of one shape: [N] or [N, H, W], one output; [N, K] or [N, K, H, W], the
/// mean over the K outputs that have a value. A NaN target is missing. Sample weights [N] >= 0.
/// Without any label: NaN.
struct MaxError {
  static constexpr bool higher_is_better = false;
  std::string name = "max_error";

  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::mean_over_outputs(predictions, targets, sample_weights,
                                          [](const task_detail::Pairs& pairs) {
                                            double largest = 0;
                                            for (size_t i = 0; i < pairs.size(); ++i) {
                                              const double error = std::abs(pairs.error(i));
                                              if (!(error <= largest)) largest = error;
                                              if (std::isnan(error)) return error;
                                            }
                                            return largest;
                                          });
  }
};

}  // namespace mtl
