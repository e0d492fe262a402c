#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "mtl/core/error.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/csv.hpp"
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

  static constexpr bool only_writes = true;

  /// Error: two columns would have one name, as those of a task "total" and of the total.
  void on_fit_begin(TrainState& state) {
    const std::string header = state.history.csv_header(state.has_validation);
    io::CsvReader row(header, "CsvLog");
    row.next();
    std::unordered_set<std::string_view> names;
    for (const std::string_view name : row.cells())
      if (!names.insert(name).second)
        throw Error(
            "CsvLog: two columns would be called \"{}\"; give a task or metric another name", name);
    io::make_folder_of(file);
    lock = std::make_shared<io::FileLock>(file.string() + ".lock");
    text.clear();
  }

  void on_epoch_end(TrainState& state) {
    const History& history = state.history;
    if (text.empty() || history.groups() != groups)
      text = history.csv();  // also where a group has joined
    else
      text += history.csv_line(history.epochs.back());
    groups = history.groups();
    io::write_file_atomically(file, text);
  }

  void on_fit_end(TrainState& /*state*/) { lock.reset(); }

  std::string text = {};                    // of all epochs, so that each is put into words once
  size_t groups = 1;                        // of learning rates in it
  std::shared_ptr<io::FileLock> lock = {};  // while a fit lasts
};

}  // namespace mtl
