#pragma once

#include <filesystem>
#include <memory>

#include "mtl/core/error.hpp"
#include "mtl/io/tensorboard.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// Writes the losses and metrics of every epoch for TensorBoard: "total/train", "total/valid",
/// "<task>/loss/train", "<task>/loss/valid", "<task>/<metric>/valid", "learning_rate", and
/// "learning_rate/<group>" of further groups. The epoch is the step; what is NaN (no label) is left
/// out. Every fit opens a file of its own.
struct TensorBoard {
  std::filesystem::path directory = {};  // "run/tensorboard"

  void check_options() const {
    if (directory.empty()) throw Error("TensorBoard: found no directory, expected one to write to");
  }

  void on_fit_begin(TrainState& /*state*/) { writer.reset(); }
  void on_epoch_end(TrainState& state);
  void on_fit_end(TrainState& /*state*/) { writer.reset(); }

  std::shared_ptr<io::TensorBoardWriter> writer = {};  // opened with the first epoch
};

}  // namespace mtl
