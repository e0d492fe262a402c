#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mtl/task/metrics/sequences.hpp"

namespace mtl {

/// Words to be inserted, deleted or replaced to make the truth of what was predicted, over the
/// words of the truth; may exceed 1. Words are what stands between spaces.
///
/// Predictions [N, S, C] CTC logits, of which the largest of each step is read (repetitions as one,
/// blanks left out), or [N, S] class indices filled up with -100. Targets [N, L] class indices of
/// characters filled up with -100; a row of -100 only is missing. Sample weights [N] >= 0. NaN
/// without any label and where a logit that counts is NaN.
struct WordErrorRate {
  static constexpr bool higher_is_better = false;
  int64_t space = 1;  ///< the class of the character between words
  int64_t blank = 0;  ///< of CTC logits
  std::string name = "word_error_rate";

  using State = task_detail::WeightedMean;
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    task_detail::add_edits(state, "WordErrorRate", predictions, targets, sample_weights, blank,
                           [this](const task_detail::Sequence& text) { return words_of(text); });
  }
  double value(const State& state) const { return state.value(); }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }

 private:
  std::vector<task_detail::Sequence> words_of(const task_detail::Sequence& characters) const {
    std::vector<task_detail::Sequence> words;
    bool within = false;
    for (const int64_t character : characters) {
      if (character != space && !within) words.emplace_back();
      within = character != space;
      if (within) words.back().push_back(character);
    }
    return words;
  }
};

}  // namespace mtl
