#pragma once

#include <cmath>
#include <string>

#include "mtl/task/metrics/normal_angles.hpp"

namespace mtl {

/// Share of surface normals within an angle of the true ones. Takes what normal_angles.hpp says.
struct NormalAngleWithin {
  static constexpr bool higher_is_better = true;
  double degrees = 30;  ///< the field shows 11.25, 22.5 and 30
  std::string name = "normal_angle_within";

  using State = task_detail::WeightedMean;
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    task_detail::for_each_normal_angle(
        predictions, targets, sample_weights, [&](double angle, double weight) {
          const double hit = std::isnan(angle) ? angle : static_cast<double>(angle < degrees);
          state.add(weight * hit, weight);
        });
  }
  double value(const State& state) const { return state.value(); }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
