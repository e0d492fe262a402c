#pragma once

#include <filesystem>
#include <memory>

#include "mtl/io/tensorboard.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// Writes the losses and metrics of every epoch for TensorBoard: "total/train", "total/valid",
/// "<task>/loss/train", "<task>/loss/valid", "<task>/<metric>/valid", "learning_rate". The epoch is
/// the step; what is NaN (no label) is left out.
struct TensorBoard {
  std::filesystem::path directory = {};  // "run/tensorboard"

  void on_epoch_end(TrainState& state);

  std::shared_ptr<io::TensorBoardWriter> writer = {};  // opened with the first epoch
};

}  // namespace mtl
