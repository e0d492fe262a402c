#pragma once

#include "mtl/sharing/surgery/freeze.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// Keeps frozen parts of the model in evaluation mode while the others are trained (hold_frozen):
/// their BatchNorm counts no batches, their dropout drops nothing.
///
///     mtl::freeze(model, "encoder");
///     trainer.fit(train, valid, mtl::HoldFrozen{});
struct HoldFrozen {
  void on_step_begin(TrainState& state) const { hold_frozen(state.model); }
};

}  // namespace mtl
