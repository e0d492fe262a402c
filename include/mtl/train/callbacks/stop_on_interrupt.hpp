#pragma once

#include "mtl/train/train_state.hpp"

namespace mtl {

/// While the run lasts, SIGINT (Ctrl-C) ends it cleanly after the step under way; the handler found
/// is put back after. A second SIGINT ends the process as usual.
struct StopOnInterrupt {
  void on_fit_begin(TrainState& state);
  void on_step_end(TrainState& state);
  void on_fit_end(TrainState& state);
};

}  // namespace mtl
