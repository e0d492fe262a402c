#pragma once

#include <filesystem>

#include "mtl/train/train_state.hpp"

namespace mtl {

/// Writes the history as CSV after every epoch (columns: History::csv), whole or not at all.
struct CsvLog {
  std::filesystem::path file = {};  // "run/history.csv"

  void on_epoch_end(TrainState& state);
};

}  // namespace mtl
