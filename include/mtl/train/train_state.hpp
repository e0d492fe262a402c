#pragma once

#include <torch/optim/optimizer.h>

#include <cstdint>
#include <string>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/train/history.hpp"
#include "mtl/train/learning_rates.hpp"

namespace mtl {

class Callback;

/// What a callback sees of the loop, and may change.
struct TrainState {
  Model& model;
  torch::optim::Optimizer& optimizer;
  Combiner& combiner;
  std::vector<Callback>& callbacks;

  int64_t epochs;                      // the most there will be
  int64_t batches;                     // in an epoch
  int64_t epoch = 0;                   // of the one under way, from 1; 0 before the first
  int64_t batch = 0;                   // in the epoch, from 1
  int64_t step = 0;                    // over all epochs, from 1
  History history = {};                // the epochs that are complete
  const TaskLosses* losses = nullptr;  // of the step under way, from on_gradients to on_step_end

  /// Ends the run: at once after this step, or after this epoch. The reason is for people.
  void stop(std::string reason) { stop_reason = std::move(reason); }
  bool stopped() const { return !stop_reason.empty(); }
  std::string stop_reason = {};

  bool has_validation = false;  // the run has a validation loader
  bool resumed = false;         // it goes on from a checkpoint: what callbacks remember is its own
  LearningRates rates = LearningRates(optimizer);  // who changes rates goes through here
};

}  // namespace mtl
