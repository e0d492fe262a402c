#pragma once

#include <vector>

#include "mtl/combine/parameters.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// Carries out what TrainState::freeze says.
class FrozenTasks {
 public:
  /// In the training mode that was just set, as `in_training_mode` says, or where a task was frozen
  /// since the last call: heads, and other parts with parameters, that only frozen tasks have go
  /// into evaluation mode, where running statistics stay.
  void apply(const TrainState& state, bool in_training_mode = false);

  /// Whether every task is frozen that is trained at all (NoLoss is not).
  static bool nothing_learns(const TrainState& state);

  /// By task; empty: none.
  const std::vector<bool>& left_out() const { return left_out_; }

  /// The optimizer shall not move what belongs to a frozen task alone, whoever left a gradient.
  void drop_gradients(const Parameters& parameters) const;

 private:
  std::vector<bool> left_out_;
  size_t applied_ = 0;
};

}  // namespace mtl
