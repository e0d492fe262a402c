#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "mtl/core/tensor.hpp"

namespace mtl::sharing_detail {

/// What flows through shared stages in which the tasks part: one tensor for all tasks until
/// something of a task's own changes it, one a task from there on.
class TaskStreams {
 public:
  explicit TaskStreams(Tensor input) : states_{std::move(input)} {}

  /// A stage that all tasks go through.
  template <class Run>
  void run(const Run& stage) {
    for (Tensor& state : states_) state = stage(state);
    common_ = parted_ ? Tensor() : states_[0];
  }

  /// What each of `tasks` tasks makes of it: change(t, state).
  template <class Change>
  void part(size_t tasks, const Change& change) {
    if (!parted_) states_.resize(tasks, Tensor(states_[0]));
    parted_ = true;
    for (size_t t = 0; t < tasks; ++t) states_[t] = change(t, states_[t]);
  }

  bool parted() const { return parted_; }
  const Tensor& of(size_t t) const { return states_[parted_ ? t : 0]; }
  /// What comes out for each of `tasks` tasks.
  std::vector<Tensor> by_task(size_t tasks) const {
    return parted_ ? states_ : std::vector<Tensor>(tasks, states_[0]);
  }
  /// The one tensor through which all tasks see the stages; undefined where they go through a stage
  /// apart.
  const Tensor& common() const { return common_; }

 private:
  std::vector<Tensor> states_;
  Tensor common_;
  bool parted_ = false;
};

}  // namespace mtl::sharing_detail
