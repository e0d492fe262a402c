#pragma once

#include <cstdint>
#include <string>

#include "mtl/task/metrics/class_scores.hpp"

namespace mtl {

/// Share of samples whose class is among the `k` largest scores, of equal ones the last, as in
/// scikit-learn. Predictions [N, C] or [N, C, ...] class scores, targets [N] or [N, ...] class
/// indices, -100 missing. Sample weights [N] >= 0. Without any label, and where a score that counts
/// is NaN: NaN. Error: k outside 1..C.
struct TopK {
  static constexpr bool higher_is_better = true;
  int64_t k = 5;
  std::string name = "top_" + std::to_string(k);

  using State = task_detail::WeightedMean;
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    const auto scores = task_detail::class_scores_of(predictions, targets, sample_weights);
    if (k < 1 || k > scores.classes())
      throw Error("TopK: k is {}, expected 1 to {} classes", k, scores.classes());
    if (scores.samples() == 0) return;
    double hits = scores.has_nan() ? task_detail::no_value : 0;
    for (int64_t n = 0; n < scores.samples(); ++n) {
      const double* const row = scores.row(n);
      const int64_t label = scores.label(n);
      int64_t ahead = 0;
      for (int64_t c = 0; c < scores.classes(); ++c)
        ahead += row[c] > row[label] || (row[c] == row[label] && c > label);
      if (ahead < k) hits += scores.weight(n);
    }
    state.add(hits, scores.weights.sum().item<double>());
  }
  double value(const State& state) const { return state.value(); }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
