#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "options.hpp"
#include "times.hpp"

/// Predicts every row of a CSV file, in memory for a few batches however long it is: one thread
/// reads and parses, one runs the network, one writes. `write` is given whole lines.
/// Error: the bundle takes no rows of numbers, the file lacks a column, a cell is no number.
PredictTimes predict_table(mtl::Predictor& predictor, const std::filesystem::path& table,
                           const PredictOptions& options,
                           const std::function<void(std::string_view)>& write);
