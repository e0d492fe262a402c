#pragma once

#include <functional>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/train/distributed/processes.hpp"
#include "mtl/train/train_state.hpp"
#include "mtl/train/trainer.hpp"

// What the processes of a run have in common, and what each has to itself.

namespace mtl {

/// Error, in all of them: one has another model, optimizer, combiner or loader, other options, or
/// other callbacks with a memory than process 0.
void require_one_run(const Processes& processes, const TrainState& state,
                     const TrainerOptions& options, const Checkpointing& checkpoints);

/// Every process begins with the weights of process 0. What they draw from torch's generator
/// (dropout) differs from process to process.
void begin_together(const Processes& processes, TrainState& state);

/// The generators' states of all processes, by process: [processes, bytes].
Tensor gathered_generators(const Processes& processes);

/// Each process takes its own out of what a checkpoint holds. Where it is of another number of
/// processes, those but the first draw anew.
void take_generator(const Processes& processes, const NamedTensors& memory);

/// What `act` draws from torch's generator is the same in all processes: what process 0 draws.
/// `processes`: null, or one: there are no others.
void draw_together(const Processes* processes, const std::function<void()>& act);

}  // namespace mtl
