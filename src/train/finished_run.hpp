#pragma once

#include <string>
#include <vector>

#include "mtl/data/sampling.hpp"
#include "mtl/train/train_state.hpp"
#include "mtl/train/trainer.hpp"
#include "mtl/train/training_run.hpp"

namespace mtl {

/// What came out of a fit, but for the time it took. `drawn`: an epoch, by source.
TrainingRun finished_run(TrainState&& state, const TrainerOptions& options,
                         std::vector<std::string> untrained, std::vector<DrawnSource> drawn);

}  // namespace mtl
