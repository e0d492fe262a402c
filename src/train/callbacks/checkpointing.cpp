#include "mtl/train/callbacks/checkpointing.hpp"

#include "mtl/train/checkpoint.hpp"

namespace mtl {

void Checkpointing::before_fit(TrainState& state) {
  if (resume) load_checkpoint(state, directory);
}

void Checkpointing::after_epoch(TrainState& state) { save_checkpoint(state, directory); }

}  // namespace mtl
