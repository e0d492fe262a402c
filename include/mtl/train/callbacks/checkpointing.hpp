#pragma once

#include <filesystem>

#include "mtl/train/train_state.hpp"

namespace mtl {

/// Writes a full checkpoint after every epoch, and with `resume` goes on from the one that is
/// there: the run ends with the same bytes as one that was never interrupted.
struct Checkpointing {
  std::filesystem::path directory;
  bool resume = false;

  void before_fit(TrainState& state);
  void after_epoch(TrainState& state);
};

}  // namespace mtl
