#pragma once

#include <string>
#include <vector>

#include "epoch_reader.hpp"
#include "mtl/combine/accumulated_losses.hpp"
#include "mtl/combine/task_losses.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/train/trainer.hpp"

namespace mtl {

/// The forward pass of a step.
struct StepForward {
  TaskLosses losses = {};
  NamedTensors predictions = NamedTensors();  // none of a batch in parts
  TaskLosses own = {};                        // of several processes: those of this one's share
};

/// What the losses of a step may reach: `held` and the model's own parameters, some twice.
std::vector<Tensor> reached_parameters(Model& model, const std::vector<Tensor>& held);

/// The predictions and losses of the batch, none of no part; of several parts with the gradients at
/// `held` and at the model's own parameters (AccumulatedLosses). FaultyStep: the model does not
/// take it; the loss of one of several parts is NaN or infinite. `left_out`: tasks, as in
/// task_losses; `scale`: as in scaled_losses, 1: not at all.
StepForward step_losses(Model& model, const StepBatch& batch, const std::vector<Tensor>& held,
                        const std::vector<bool>& left_out, Arithmetic arithmetic, double scale);

/// The same losses with each task's gradient clipped at what is shared, by AccumulatedLosses::clip:
/// `whole` has no part, before and after. Of a loss that is NaN or infinite, all as they are.
TaskLosses clipped_by_task(const TaskLosses& losses, AccumulatedLosses& whole, double max_norm);

/// With which a run begins.
LossScale loss_scale_of(const TrainerOptions& options);

/// What a resumed run must have the same in a step; empty: a batch in float32.
std::string steps_text(const TrainerOptions& options);

/// Why one of `values`, read from the losses, is NaN or infinite; empty: none is. Of a batch in
/// parts that was looked for before.
std::string explain_losses(const Model& model, const Batch& batch, const StepForward& seen,
                           const std::vector<double>& values);

}  // namespace mtl
