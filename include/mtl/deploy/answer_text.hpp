#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mtl/deploy/predictor.hpp"

namespace mtl {

/// Answers as text, a line a sample: of values the values, of classes the name of the likeliest one
/// and, where they are wanted, the probability of each, of scores the probability of a yes.
///
///     AnswerText text(AnswerText::Format::csv, /*probabilities=*/true);
///     std::cout << text.header(answers) << text.lines(answers);
class AnswerText {
 public:
  enum class Format { csv, json };

  /// `kept`: names of columns that stand before the answers as they came.
  AnswerText(Format format, bool probabilities, std::vector<std::string> kept = {})
      : format_(format), probabilities_(probabilities), kept_(std::move(kept)) {}

  /// The line above all others; empty for JSON. Error: answers that are maps, no columns.
  std::string header(const Answers& answers) const;
  /// A line a sample.
  std::string lines(const Answers& answers) const;
  /// A line a row of `kept` [rows][columns]: row i has the answers of sample `samples[i]`, none
  /// where that is -1, or of sample i where there is no list.
  /// Error: a row without a sample, or with other cells than there are columns.
  std::string lines(const Answers& answers, const std::vector<std::vector<std::string>>& kept,
                    const std::vector<int64_t>& samples = {}) const;

 private:
  struct Column;
  std::vector<Column> columns(const Answers& answers) const;
  void check_rows(const std::vector<std::vector<std::string>>& kept,
                  const std::vector<int64_t>& samples, int64_t count) const;

  Format format_;
  bool probabilities_;
  std::vector<std::string> kept_;
};

}  // namespace mtl
