#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "mtl/task/metrics/depths.hpp"

namespace mtl {

/// Share of depths y with max(y / t, t / y) below a ratio (delta). Takes what depths.hpp says.
/// Error: a ratio that is not above 1.
struct DepthWithin {
  static constexpr bool higher_is_better = true;
  double ratio = 1.25;  ///< above 1; the field also shows its square and its cube
  std::string name = "delta";

  using State = task_detail::WeightedMean;
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    if (!(ratio > 1)) throw Error("DepthWithin: ratio is {}, expected a number above 1", ratio);
    task_detail::add_depths(state, predictions, targets, sample_weights,
                            [this](double y, double t) {
                              if (std::isnan(y)) return y;
                              return y > 0 && std::max(y / t, t / y) < ratio ? 1.0 : 0.0;
                            });
  }
  double value(const State& state) const { return state.value(); }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
