#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/io/file_lock.hpp"
#include "mtl/io/tensorboard.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// Asks the combiner every `every` steps what it sees and does (CombinerReport), and writes it
/// down; steps between cost nothing, and a report of a combiner that itself looks at no gradients
/// one backward pass a task.
struct CombinerLog {
  struct Entry {
    int64_t step;
    CombinerReport report;
  };

  /// One line a task and report: step, task, norm, weight, share, conflicts, stationary,
  /// cosine_<task>...; written with every report. A resumed run goes on in the same file. Empty:
  /// none.
  std::filesystem::path csv = {};
  /// Curves "weight/<task>", "norm/<task>", "share/<task>", "cosine/<task>/<task>", "conflicts" by
  /// step. Take another directory than the TensorBoard callback's: TensorBoard follows one file a
  /// directory. Empty: none.
  std::filesystem::path tensorboard = {};
  int64_t every = 10;

  void check_options() const {
    if (every < 1) throw Error("CombinerLog: found every {}, expected at least 1 step", every);
  }

  void on_fit_begin(TrainState& state);
  void on_step_begin(TrainState& state);
  void on_gradients(TrainState& state);
  void on_fit_end(TrainState& state);

  // The reports of this fit, for pictures of them; of a resumed run those before it as far as they
  // stand in `csv`.
  std::vector<Entry> entries = {};
  std::shared_ptr<io::TensorBoardWriter> writer = {};
  std::shared_ptr<io::FileLock> lock = {};  // of the CSV file, while a fit lasts
};

}  // namespace mtl
