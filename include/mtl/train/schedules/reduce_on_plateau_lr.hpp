#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/train/train_state.hpp"
#include "mtl/train/watch.hpp"

namespace mtl {

/// Times `factor` when what it watches has not improved for more than `patience` epochs. An
/// improvement is one by more than `threshold` times |best|. Beside schedules it reduces what they
/// give.
struct ReduceOnPlateauLr {
  double factor = 0.1;
  int64_t patience = 10;
  double threshold = 1e-4;
  double min_lr = 0.0;  // a reduction stops here
  Watch watch = {};

  void check_options() const {
    if (!(factor > 0 && factor < 1))
      throw Error("ReduceOnPlateauLr: found factor {}, expected one above 0 and below 1", factor);
    if (patience < 0)
      throw Error("ReduceOnPlateauLr: found patience {}, expected 0 epochs or more", patience);
    if (!(std::isfinite(threshold) && threshold >= 0))
      throw Error("ReduceOnPlateauLr: found threshold {}, expected a finite number of 0 or more",
                  threshold);
    if (!(std::isfinite(min_lr) && min_lr >= 0))
      throw Error("ReduceOnPlateauLr: found min_lr {}, expected a finite rate of 0 or more",
                  min_lr);
  }

  void on_fit_begin(TrainState& state) {
    watch.check(state, "ReduceOnPlateauLr");
    if (!state.resumed) {
      best = {};
      bad_epochs = 0;
      reductions.clear();
    }
    reductions.resize(state.rates.base().size(), 1.0);
    set_rates(state);
  }

  void on_epoch_end(TrainState& state) {
    if (!reduces_after(watch.score(state.history.epochs.back()))) return;
    const std::vector<double> now = state.rates.now();
    for (size_t g = 0; g < reductions.size(); ++g) {
      const double reduced = std::max(now[g] * factor, std::min(now[g], min_lr));
      if (now[g] > 0) reductions[g] *= reduced / now[g];
    }
    set_rates(state);
  }

  /// Takes the next value; true: reduce now.
  bool reduces_after(const EpochScore& score) {
    if (is_better(score, best, threshold)) {
      best = score;
      bad_epochs = 0;
    } else if (++bad_epochs > patience) {
      bad_epochs = 0;
      return true;
    }
    return false;
  }

  NamedTensors state_dict() const {
    NamedTensors state;
    put_score(state, best);
    state.insert("bad_epochs", torch::tensor({bad_epochs}, torch::kLong));
    state.insert("reductions", torch::tensor(reductions, torch::kDouble));
    return state;
  }
  void load_state_dict(const NamedTensors& state) {
    best = score_from(state);
    bad_epochs = state["bad_epochs"].item<int64_t>();
    const Tensor factors = state["reductions"].to(torch::kDouble).contiguous();
    reductions.assign(factors.data_ptr<double>(), factors.data_ptr<double>() + factors.numel());
  }
  std::vector<std::string> identity(const TrainState& /*state*/) const {
    return {"watches " + watch.text()};
  }

  EpochScore best = {};
  int64_t bad_epochs = 0;
  std::vector<double> reductions = {};  // by parameter group: what the rates are multiplied by

 private:
  void set_rates(TrainState& state) const {
    std::vector<double> rates = state.rates.base();
    for (size_t g = 0; g < rates.size(); ++g) rates[g] *= reductions[g];
    state.rates.set(this, std::move(rates));
  }
};

}  // namespace mtl
