#pragma once

#include <cstdint>
#include <string>

#include "mtl/task/metrics/sequences.hpp"

namespace mtl {

/// Characters to be inserted, deleted or replaced to make the truth of what was predicted, over the
/// characters of the truth; may exceed 1. With a class a word it is the word error rate.
///
/// Predictions [N, S, C] CTC logits, of which the largest of each step is read (repetitions as one,
/// blanks left out), or [N, S] class indices filled up with -100. Targets [N, L] class indices
/// filled up with -100; a row of -100 only is missing. Sample weights [N] >= 0. NaN without any
/// label and where a logit that counts is NaN.
struct CharacterErrorRate {
  static constexpr bool higher_is_better = false;
  int64_t blank = 0;  ///< of CTC logits
  std::string name = "character_error_rate";

  using State = task_detail::WeightedMean;
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    task_detail::add_edits(state, "CharacterErrorRate", predictions, targets, sample_weights, blank,
                           [](task_detail::Sequence characters) { return characters; });
  }
  double value(const State& state) const { return state.value(); }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }
};

}  // namespace mtl
