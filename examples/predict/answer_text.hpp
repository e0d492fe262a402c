#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mtl/deploy/predictor.hpp"

/// Answers as text, a line a sample.
class AnswerText {
 public:
  enum class Format { csv, json };

  /// `kept`: names of columns that stand before the answers as they came.
  AnswerText(Format format, bool probabilities, std::vector<std::string> kept)
      : format_(format), probabilities_(probabilities), kept_(std::move(kept)) {}

  /// The line above all others; empty for JSON.
  std::string header(const mtl::Answers& answers) const;
  /// A line a row of `kept` [rows][columns]: row i has the answers of sample `samples[i]`, none
  /// where that is -1, or of sample i where there is no list.
  std::string lines(const mtl::Answers& answers, const std::vector<std::vector<std::string>>& kept,
                    const std::vector<int64_t>& samples = {}) const;

 private:
  struct Column;
  std::vector<Column> columns(const mtl::Answers& answers) const;

  Format format_;
  bool probabilities_;
  std::vector<std::string> kept_;
};
