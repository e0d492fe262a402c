#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mtl/core/formatted.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// A learning-rate schedule is a struct with `double rate(double base, int64_t at) const`: the rate
/// in epoch `at` (from 0) of a parameter group whose base rate is `base`. With `static constexpr
/// bool by_step = true`, `at` counts steps; a field `total_steps` of 0 stands for the steps of the
/// whole run, of which a step of several batches (MoDo) then counts as so many. It may have hooks
/// and a memory like any callback; its hooks run before its rate is asked for.
///
/// Base rates, several schedules in one run, and what is left after it: learning_rates.hpp.
template <class S>
concept Schedule = requires(const S& schedule, double base, int64_t at) {
  { schedule.rate(base, at) } -> std::convertible_to<double>;
};

/// The callback that a schedule becomes when it is given to fit().
template <Schedule S>
class ScheduleCallback {
 public:
  explicit ScheduleCallback(std::shared_ptr<const S> schedule) : schedule_(std::move(schedule)) {}

  void on_epoch_begin(TrainState& state) {
    set_rates(state, !by_step() ? epoch(state) : of_whole_run() ? place(state, 0) : state.step);
  }
  void on_step_begin(TrainState& state) {
    if (by_step())
      set_rates(state, of_whole_run() ? place(state, state.batch - 1) : state.step - 1);
  }

  /// Its rates at the first 64 epochs (steps) of the run and ever more thinly after them: a resumed
  /// run must have the same.
  std::vector<std::string> identity(const TrainState& state) const {
    const int64_t total = state.epochs * (by_step() ? state.batches : 1);
    std::vector<std::string> rates;
    for (int64_t at = 0; at < total; at += at < 64 ? 1 : at / 16)
      rates.push_back(formatted("rate {} at {}", rate(state, 1.0, at), at));
    return rates;
  }

 private:
  static constexpr bool by_step() {
    if constexpr (requires { S::by_step; }) return S::by_step;
    return false;
  }
  static int64_t epoch(const TrainState& state) { return state.epoch - 1; }
  bool of_whole_run() const {
    if constexpr (requires { schedule_->total_steps; }) return schedule_->total_steps == 0;
    return false;
  }
  /// In the whole run, whose end comes with its last batch, however many of them a step takes.
  static int64_t place(const TrainState& state, int64_t batch) {
    return epoch(state) * state.batches + batch;
  }

  double rate(const TrainState& state, double base, int64_t at) const {
    if constexpr (requires { schedule_->total_steps; })
      if (schedule_->total_steps == 0) {
        S whole_run = *schedule_;
        whole_run.total_steps = state.epochs * state.batches;
        return whole_run.rate(base, at);
      }
    return schedule_->rate(base, at);
  }
  void set_rates(TrainState& state, int64_t at) {
    std::vector<double> rates;
    for (double base : state.rates.base()) rates.push_back(rate(state, base, at));
    state.rates.set(this, std::move(rates));
  }

  std::shared_ptr<const S> schedule_;
};

}  // namespace mtl
