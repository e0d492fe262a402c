#include "mtl/train/callbacks/early_stopping.hpp"

#include <fmt/format.h>

#include "mtl/core/error.hpp"

namespace mtl {

bool EarlyStopping::stops_after(double value) {
  if (value <= best) {
    best = value;
    worse_epochs = 0;
  } else {
    ++worse_epochs;
  }
  return worse_epochs >= patience;
}

void EarlyStopping::on_epoch_end(TrainState& state) {
  if (patience < 1) throw Error("EarlyStopping: found patience {}, expected at least 1", patience);
  const EpochRecord& record = state.history.epochs.back();
  if (stops_after(watch ? watch(record) : watched_loss(record)))
    state.stop(fmt::format("no better for {} epochs", worse_epochs));
}

NamedTensors EarlyStopping::state_dict() const {
  NamedTensors state;
  state.insert("best", torch::tensor({best}, torch::kDouble));
  state.insert("worse_epochs", torch::tensor({worse_epochs}, torch::kLong));
  return state;
}

void EarlyStopping::load_state_dict(const NamedTensors& state) {
  best = state["best"].item<double>();
  worse_epochs = state["worse_epochs"].item<int64_t>();
}

}  // namespace mtl
