#pragma once

namespace mtl {

/// Why a run ended. A text for people goes with it.
enum class StopReason {
  epochs_done,     ///< all that TrainerOptions::epochs asked for
  early_stopping,  ///< no better for as long as EarlyStopping waits
  interrupted,     ///< somebody wants the process to end (Ctrl-C)
  callback,        ///< a callback of one's own
  error,           ///< an exception left fit(); only callbacks see this, in on_fit_end
};

}  // namespace mtl
