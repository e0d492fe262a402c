#pragma once

#include <cstdint>
#include <vector>

#include "loss_meter.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// What an epoch under way has come to, beside the number of batches that were drawn
/// (TrainState::batch).
struct EpochPlace {
  explicit EpochPlace(int64_t tasks) : meter(tasks) {}

  int64_t steps_before = 0;                 // TrainState::step as the epoch began
  int64_t faulty_before = 0;                // and TrainState::faulty_batches
  int64_t overflows_before = 0;             // and LossScale::overflows
  int64_t made = 0;                         // steps that moved something
  std::vector<double> learning_rates = {};  // by group, as the epoch began
  LossMeter meter;
  Tensor generator = {};  // torch's own as the loader began: it may draw its order from there
};

}  // namespace mtl
