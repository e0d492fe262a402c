#include "mtl/train/callbacks/reduce_on_plateau_lr.hpp"

#include <algorithm>

namespace mtl {

bool ReduceOnPlateauLr::reduces_after(double value) {
  if (value < best * (1 - threshold)) {
    best = value;
    bad_epochs = 0;
  } else if (++bad_epochs > patience) {
    bad_epochs = 0;
    return true;
  }
  return false;
}

void ReduceOnPlateauLr::on_epoch_end(TrainState& state) {
  const EpochRecord& record = state.history.epochs.back();
  if (!reduces_after(watch ? watch(record) : watched_loss(record))) return;
  for (auto& group : state.optimizer.param_groups())
    group.options().set_lr(std::max(group.options().get_lr() * factor, min_lr));
}

NamedTensors ReduceOnPlateauLr::state_dict() const {
  NamedTensors state;
  state.insert("best", torch::tensor({best}, torch::kDouble));
  state.insert("bad_epochs", torch::tensor({bad_epochs}, torch::kLong));
  return state;
}

void ReduceOnPlateauLr::load_state_dict(const NamedTensors& state) {
  best = state["best"].item<double>();
  bad_epochs = state["bad_epochs"].item<int64_t>();
}

}  // namespace mtl
