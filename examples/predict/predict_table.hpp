#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "answer_text.hpp"
#include "mtl/deploy/predictor.hpp"

struct PredictOptions {
  AnswerText::Format format = AnswerText::Format::csv;
  int64_t batch = 256;         // rows that go through the network at once
  bool probabilities = false;  // of every class
  char separator = ',';
  std::vector<std::string> keep = {};  // columns to hand through
};

struct PredictTimes {
  int64_t rows = 0;
  double seconds = 0;  // from the first row read to the last one written
  double network = 0;  // of these within Predictor::predict
};

/// Predicts every row of a CSV file, in memory for a few batches however long it is: one thread
/// reads and parses, one runs the network, one writes. `write` is given whole lines.
/// Error: the bundle takes no rows of numbers, the file lacks a column, a cell is no number.
PredictTimes predict_table(mtl::Predictor& predictor, const std::filesystem::path& table,
                           const PredictOptions& options,
                           const std::function<void(std::string_view)>& write);
