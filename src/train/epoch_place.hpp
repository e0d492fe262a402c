#pragma once

#include <cstdint>

#include "loss_meter.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// What an epoch under way has come to, beside the number of batches that were drawn
/// (TrainState::batch).
struct EpochPlace {
  explicit EpochPlace(int64_t tasks) : meter(tasks) {}

  int64_t steps_before = 0;   // TrainState::step as the epoch began
  int64_t faulty_before = 0;  // and TrainState::faulty_batches
  int64_t made = 0;           // steps that moved something
  double learning_rate = 0;   // of the first group, as the epoch began
  LossMeter meter;
  Tensor generator = {};  // torch's own as the loader began: it may draw its order from there
};

}  // namespace mtl
