#pragma once

#include <filesystem>
#include <functional>
#include <limits>

#include "mtl/core/tensor.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// Keeps the weights of the best epoch, and puts them back when the run ends.
struct BestModel {
  std::filesystem::path file =
      {};  // also written here as safetensors whenever there is a new best; empty: nowhere
  bool reload = true;
  /// What to watch; lower is better. Empty: the validation total, or the training total without
  /// validation.
  std::function<double(const EpochRecord&)> watch = {};

  void on_epoch_end(TrainState& state);
  void on_fit_end(TrainState& state);

  NamedTensors state_dict() const;
  void load_state_dict(const NamedTensors& state);

  double best = std::numeric_limits<double>::infinity();
  NamedTensors weights = NamedTensors();
};

}  // namespace mtl
