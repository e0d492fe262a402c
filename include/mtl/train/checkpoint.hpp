#pragma once

#include <filesystem>

#include "mtl/train/train_state.hpp"

namespace mtl {

/// Everything from which a run goes on as if it had never stopped: weights, optimizer, combiner,
/// callbacks, torch's CPU generator, history. `directory` holds checkpoint.json (history and names)
/// and the safetensors file it names; both are written aside and renamed, checkpoint.json last, so
/// a crash leaves the checkpoint before. Error: the directory cannot be written.
void save_checkpoint(const TrainState& state, const std::filesystem::path& directory);

/// False where there is no checkpoint. Error: it is damaged, or of another model, optimizer,
/// combiner or set of callbacks.
bool load_checkpoint(TrainState& state, const std::filesystem::path& directory);

}  // namespace mtl
