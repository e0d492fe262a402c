#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/formatted.hpp"
#include "mtl/train/train_state.hpp"
#include "mtl/train/watch.hpp"

namespace mtl {

/// Stops the run when what it watches has been strictly worse than its best for `patience` epochs
/// in a row; an equal or better epoch starts the count anew, NaN counts as worse. A run that it
/// stopped can be resumed with more patience.
struct EarlyStopping {
  int64_t patience = 10;
  Watch watch = {};

  void check_options() const {
    if (patience < 1)
      throw Error("EarlyStopping: found patience {}, expected at least 1 epoch", patience);
  }

  void on_fit_begin(TrainState& state) {
    watch.check(state, "EarlyStopping");
    if (!state.resumed) {
      best = {};
      worse_epochs = 0;
    }
    stop_if_due(state);  // resumed where it had stopped, with no more patience
  }
  void on_epoch_end(TrainState& state) {
    stops_after(watch.score(state.history.epochs.back()));
    stop_if_due(state);
  }

  /// Takes the next value; true: stop now.
  bool stops_after(const EpochScore& score) {
    if (is_as_good(score, best)) {
      best = score;
      worse_epochs = 0;
    } else {
      ++worse_epochs;
    }
    return worse_epochs >= patience;
  }

  NamedTensors state_dict() const {
    NamedTensors state;
    put_score(state, best);
    state.insert("worse_epochs", torch::tensor({worse_epochs}, torch::kLong));
    return state;
  }
  void load_state_dict(const NamedTensors& state) {
    best = score_from(state);
    worse_epochs = state["worse_epochs"].item<int64_t>();
  }
  std::vector<std::string> identity(const TrainState& /*state*/) const {
    return {"watches " + watch.text()};
  }

  EpochScore best = {};
  int64_t worse_epochs = 0;

 private:
  void stop_if_due(TrainState& state) const {
    if (worse_epochs >= patience)
      state.stop(StopReason::early_stopping, formatted("no better for {} epochs", worse_epochs));
  }
};

}  // namespace mtl
