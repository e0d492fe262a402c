#pragma once

#include <cstdio>

#include "mtl/core/error.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// Tells people how far the run is: one line that renews itself on a terminal, one line an epoch
/// elsewhere.
struct ProgressBar {
  std::FILE* stream = stderr;

  void check_options() const {
    if (stream == nullptr) throw Error("ProgressBar: found no stream, expected one to write to");
  }

  static constexpr bool only_writes = true;

  void on_fit_begin(TrainState& state);
  void on_step_end(TrainState& state);
  void on_epoch_end(TrainState& state);
  void on_fit_end(TrainState& state);

  bool is_terminal = false;
  bool line_is_open = false;  // on a terminal: the cursor stands behind something
};

}  // namespace mtl
