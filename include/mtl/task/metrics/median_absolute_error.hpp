#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "mtl/task/metrics/outputs.hpp"

namespace mtl {

/// Median of the absolute errors: the error at which half of the weights is reached, the mean of it
/// and the next where it is reached exactly.
///
/// Predictions and targets of one shape: [N] or [N, H, W], one output; [N, K] or [N, K, H, W], the
/// mean over the K outputs that have a value. A NaN target is missing. Sample weights [N] >= 0.
/// Without any label: NaN.
struct MedianAbsoluteError {
  static constexpr bool higher_is_better = false;
  std::string name = "median_absolute_error";

  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::mean_over_outputs(
        predictions, targets, sample_weights, [](const task_detail::Pairs& pairs) {
          if (pairs.has_nan()) return task_detail::no_value;
          std::vector<std::pair<double, double>> errors;  // with their weights
          for (size_t i = 0; i < pairs.size(); ++i)
            errors.emplace_back(std::abs(pairs.error(i)), pairs.weights[i]);
          std::sort(errors.begin(), errors.end());
          const double half = pairs.total / 2;
          const double rounding = 1e-12 * half;
          double reached = 0;
          size_t i = 0;
          while (i + 1 < errors.size() && reached + errors[i].second < half - rounding)
            reached += errors[i++].second;
          const bool exactly = std::abs(reached + errors[i].second - half) <= rounding;
          return exactly && i + 1 < errors.size() ? (errors[i].first + errors[i + 1].first) / 2
                                                  : errors[i].first;
        });
  }
};

}  // namespace mtl
