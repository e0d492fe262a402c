#pragma once

#include <string>

#include "mtl/task/metrics/normal_angles.hpp"

namespace mtl {

/// Mean angle between predicted and true surface normals, in degrees. Takes what normal_angles.hpp
/// says.
struct NormalAngleMean {
  static constexpr bool higher_is_better = false;
  std::string name = "normal_angle_mean";

  using State = task_detail::WeightedMean;
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    task_detail::for_each_normal_angle(
        predictions, targets, sample_weights,
        [&](double angle, double weight) { state.add(weight * angle, weight); });
  }
  double value(const State& state) const { return state.value(); }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
