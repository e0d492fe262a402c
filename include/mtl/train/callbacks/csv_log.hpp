#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "mtl/core/error.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/file_lock.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// Writes the history as CSV after every epoch (columns: History::csv), whole or not at all.
struct CsvLog {
  std::filesystem::path file = {};  // "run/history.csv"

  void check_options() const {
    if (file.empty()) throw Error("CsvLog: found no file, expected one to write to");
  }

  void on_fit_begin(TrainState& state) {
    if (!state.writes) return;
    io::make_folder_of(file);
    lock = std::make_shared<io::FileLock>(file.string() + ".lock");
    text.clear();
    if (!state.history.epochs.empty()) text = state.history.csv();  // a resumed run's
  }

  void on_epoch_end(TrainState& state) {
    if (!state.writes) return;
    if (text.empty()) text = state.history.csv_header(state.has_validation);
    text += History::csv_line(state.history.epochs.back());
    io::write_file_atomically(file, text);
  }

  void on_fit_end(TrainState& /*state*/) { lock.reset(); }

  std::string text = {};                    // of all epochs, so that each is put into words once
  std::shared_ptr<io::FileLock> lock = {};  // while a fit lasts
};

}  // namespace mtl
