#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "mtl/task/metrics/weighted_pairs.hpp"

namespace mtl {

/// Spearman's rank correlation of predictions and targets, -1 to 1; equal values share the mean of
/// their ranks. NaN where either has one value only.
///
/// Predictions and targets of one shape: [N] or [N, H, W], one output; [N, K] or [N, K, H, W], the
/// mean over the K outputs that have a value. A NaN target is missing. Sample weights [N] >= 0.
/// Without any label: NaN. Ranks need all rows: it keeps 24 bytes a labelled entry.
struct Spearman {
  static constexpr bool higher_is_better = true;
  std::string name = "spearman";

  using State = task_detail::PairsState;
  double value(const State& state) const {
    return task_detail::mean_over_parts(state.outputs, [](const task_detail::Pairs& pairs) {
      if (pairs.has_nan()) return task_detail::no_value;
      const double scale = task_detail::near_one(pairs.total);
      const std::vector<double> y = ranks(pairs.predicted, pairs.weights, scale),
                                t = ranks(pairs.truth, pairs.weights, scale);
      const double y_mean = pairs.mean([&](size_t i) { return y[i]; }),
                   t_mean = pairs.mean([&](size_t i) { return t[i]; });
      const auto product = [&](const auto& a, double a_mean, const auto& b, double b_mean) {
        return pairs.mean([&](size_t i) { return (a[i] - a_mean) * (b[i] - b_mean); });
      };
      const double both = product(y, y_mean, y, y_mean) * product(t, t_mean, t, t_mean);
      return both > 0 ? product(y, y_mean, t, t_mean) / std::sqrt(both) : task_detail::no_value;
    });
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }

 private:
  /// A row of weight w counts as w rows, all ranks times `scale`. A rank's constant half does not
  /// matter to a correlation.
  static std::vector<double> ranks(const std::vector<double>& values,
                                   const std::vector<double>& weights, double scale) {
    const std::vector<size_t> order = rising_order(values);
    std::vector<double> ranks(values.size());
    double below = 0;
    for_each_tie(values, order, [&](size_t begin, size_t end) {
      double tied = 0;
      for (size_t i = begin; i < end; ++i) tied += weights[order[i]];
      for (size_t i = begin; i < end; ++i) ranks[order[i]] = scale * (below + tied / 2);
      below += tied;
    });
    return ranks;
  }
};

}  // namespace mtl
