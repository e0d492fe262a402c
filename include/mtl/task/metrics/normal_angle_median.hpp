#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "mtl/task/metrics/normal_angles.hpp"

namespace mtl {

/// Median angle between predicted and true surface normals, in degrees: the angle at which half of
/// the weights is reached, to 0.0005 degrees. Takes what normal_angles.hpp says. It counts angles
/// in steps of 0.001 degrees instead of keeping them.
struct NormalAngleMedian {
  static constexpr bool higher_is_better = false;
  std::string name = "normal_angle_median";

  struct State {
    std::vector<double> weights = {};  // by step; none: no label yet
    double total = 0;                  // NaN: an angle is

    void merge(const State& other) {
      if (other.weights.empty()) return;
      weights.resize(other.weights.size());
      for (size_t i = 0; i < weights.size(); ++i) weights[i] += other.weights[i];
      total += other.total;
    }
  };

  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    task_detail::for_each_normal_angle(
        predictions, targets, sample_weights, [&](double angle, double weight) {
          state.weights.resize(180 * steps);
          state.total += std::isnan(angle) ? angle : weight;
          if (std::isnan(angle)) return;
          const auto step = static_cast<size_t>(angle * steps);
          state.weights[std::min(step, state.weights.size() - 1)] += weight;
        });
  }
  double value(const State& state) const {
    if (!(state.total > 0)) return task_detail::no_value;
    const double half = state.total / 2 * (1 - 1e-12);  // but for rounding
    double reached = 0;
    size_t step = 0;
    for (; step + 1 < state.weights.size(); ++step)
      if ((reached += state.weights[step]) >= half) break;
    return (static_cast<double>(step) + 0.5) / steps;
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }

 private:
  static constexpr size_t steps = 1000;  // a degree
};

}  // namespace mtl
