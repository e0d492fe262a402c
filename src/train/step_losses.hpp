#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "epoch_reader.hpp"
#include "mtl/combine/task_losses.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/train/arithmetic.hpp"

namespace mtl {

/// The forward pass of a step.
struct StepForward {
  TaskLosses losses;
  NamedTensors predictions = NamedTensors();  // none of a batch in parts
  TaskLosses own = {};                        // of several processes: those of this one's share
};

/// The predictions and losses of the batch; of several parts with the gradients at `held` and at
/// the model's own parameters (AccumulatedLosses). FaultyStep: the model does not take it; the loss
/// of one of several parts is NaN or infinite. `left_out`: tasks, as in task_losses.
StepForward step_losses(Model& model, const StepBatch& batch, const std::vector<Tensor>& held,
                        const std::vector<bool>& left_out, Arithmetic arithmetic);

/// What a resumed run must have the same in a step; empty: a batch in float32.
std::string steps_text(int64_t accumulate, Arithmetic arithmetic);

/// Why one of `values`, read from the losses, is NaN or infinite; empty: none is. Of a batch in
/// parts that was looked for before.
std::string explain_losses(const Model& model, const Batch& batch, const StepForward& seen,
                           const std::vector<double>& values);

}  // namespace mtl
