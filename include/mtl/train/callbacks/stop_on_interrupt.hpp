#pragma once

#include <memory>

#include "mtl/train/train_state.hpp"

namespace mtl {

/// While the run lasts, SIGINT (Ctrl-C) ends it cleanly after the step or the validation under way;
/// the handler found is put back after, whatever ended the run. Several runs at a time, each with
/// such a callback, end all. A second SIGINT acts as if we were not there: as a rule, it ends the
/// process.
struct StopOnInterrupt {
  void on_fit_begin(TrainState& state);
  void on_step_end(TrainState& state);
  void on_epoch_end(TrainState& state);
  void on_fit_end(TrainState& state);

  std::shared_ptr<void> handler = {};  // while a fit lasts
  unsigned seen = 0;                   // interrupts of the process before it
};

}  // namespace mtl
