#pragma once

#include <cmath>
#include <string>

#include "mtl/task/metrics/depths.hpp"

namespace mtl {

/// Mean of |y - t| / t. Takes what depths.hpp says.
struct AbsoluteRelativeError {
  static constexpr bool higher_is_better = false;
  std::string name = "abs_rel";

  using State = task_detail::WeightedMean;
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    task_detail::add_depths(state, predictions, targets, sample_weights,
                            [](double y, double t) { return std::abs(y - t) / t; });
  }
  double value(const State& state) const { return state.value(); }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
