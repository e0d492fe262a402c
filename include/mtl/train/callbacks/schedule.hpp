#pragma once

#include <concepts>
#include <cstdint>
#include <utility>
#include <vector>

#include "mtl/train/train_state.hpp"

namespace mtl {

/// A learning-rate schedule is a struct with `double rate(double base, int64_t at) const`: the rate
/// in epoch `at` (from 0) of a parameter group that came with the rate `base`. With `static
/// constexpr bool by_step = true`, `at` counts steps; a field `total_steps` of 0 is then filled
/// with the steps of the whole run.
template <class S>
concept Schedule = requires(const S& schedule, double base, int64_t at) {
  { schedule.rate(base, at) } -> std::convertible_to<double>;
};

/// The rates with which the groups of an optimizer came.
std::vector<double> learning_rates(torch::optim::Optimizer& optimizer);

/// The callback that a schedule becomes when it is given to fit().
template <Schedule S>
class ScheduleCallback {
 public:
  explicit ScheduleCallback(S schedule) : schedule_(std::move(schedule)) {}

  void on_fit_begin(TrainState& state) {
    if constexpr (requires { schedule_.total_steps; })
      if (schedule_.total_steps == 0) schedule_.total_steps = state.epochs * state.batches;
    // A resumed run has them from its checkpoint: by now the optimizer's rates may have decayed.
    if (bases_.empty()) bases_ = learning_rates(state.optimizer);
  }
  void on_epoch_begin(TrainState& state) {
    set_rates(state, by_step() ? state.step : state.epoch - 1);
  }
  void on_step_begin(TrainState& state) {
    if (by_step()) set_rates(state, state.step - 1);
  }

  NamedTensors state_dict() const {
    NamedTensors state;
    state.insert("bases", torch::tensor(bases_, torch::kDouble));
    return state;
  }
  void load_state_dict(const NamedTensors& state) {
    const Tensor bases = state["bases"].contiguous();
    bases_.assign(bases.data_ptr<double>(), bases.data_ptr<double>() + bases.numel());
  }

 private:
  static constexpr bool by_step() {
    if constexpr (requires { S::by_step; }) return S::by_step;
    return false;
  }
  void set_rates(TrainState& state, int64_t at) {
    auto& groups = state.optimizer.param_groups();
    for (size_t g = 0; g < groups.size() && g < bases_.size(); ++g)
      groups[g].options().set_lr(schedule_.rate(bases_[g], at));
  }

  S schedule_;
  std::vector<double> bases_;
};

}  // namespace mtl
