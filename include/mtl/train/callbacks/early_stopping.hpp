#pragma once

#include <functional>
#include <limits>

#include "mtl/train/train_state.hpp"

namespace mtl {

/// Stops the run when the watched loss has been strictly worse than its best for `patience` epochs
/// in a row; an equal or better epoch starts the count anew.
struct EarlyStopping {
  int64_t patience = 10;
  /// What to watch; lower is better. Empty: the validation total, or the training total without
  /// validation.
  std::function<double(const EpochRecord&)> watch = {};

  void on_epoch_end(TrainState& state);
  /// Takes the next value; true: stop now. NaN counts as worse.
  bool stops_after(double value);

  NamedTensors state_dict() const;
  void load_state_dict(const NamedTensors& state);

  double best = std::numeric_limits<double>::infinity();
  int64_t worse_epochs = 0;
};

}  // namespace mtl
