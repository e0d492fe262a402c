#pragma once

#include <cstdint>
#include <functional>
#include <limits>

#include "mtl/train/train_state.hpp"

namespace mtl {

/// Times `factor` when the watched loss has not improved for more than `patience` epochs. An
/// improvement is a value below (1 - threshold) times the best.
struct ReduceOnPlateauLr {
  double factor = 0.1;
  int64_t patience = 10;
  double threshold = 1e-4;
  double min_lr = 0.0;
  /// What to watch; lower is better. Empty: the validation total, or the training total without
  /// validation.
  std::function<double(const EpochRecord&)> watch = {};

  void on_epoch_end(TrainState& state);
  /// Takes the next value; true: reduce now.
  bool reduces_after(double value);

  NamedTensors state_dict() const;
  void load_state_dict(const NamedTensors& state);

  double best = std::numeric_limits<double>::infinity();
  int64_t bad_epochs = 0;
};

}  // namespace mtl
