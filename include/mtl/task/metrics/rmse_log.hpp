#pragma once

#include <cmath>
#include <string>

#include "mtl/task/metrics/depths.hpp"

namespace mtl {

/// Root of the mean of (log y - log t)^2. NaN where a prediction that counts is below 0. Takes what
/// depths.hpp says.
struct RmseLog {
  static constexpr bool higher_is_better = false;
  std::string name = "rmse_log";

  using State = task_detail::WeightedMean;
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    task_detail::add_depths(state, predictions, targets, sample_weights, [](double y, double t) {
      const double error = std::log(y) - std::log(t);
      return error * error;
    });
  }
  double value(const State& state) const { return std::sqrt(state.value()); }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
