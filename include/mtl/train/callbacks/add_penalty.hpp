#pragma once

#include <functional>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// Adds the gradient of a penalty on the weights in every step, beside what the combiner made of
/// the losses: no weight of a method touches it, and it is not clipped.
///
///     trainer.fit(train, valid, mtl::AddPenalty{[&] { return model->penalty(); }});
struct AddPenalty {
  /// Scalar with a graph of its own, made anew at each call; without one it adds nothing.
  std::function<Tensor()> penalty = {};

  void check_options() const {
    if (!penalty) throw Error("AddPenalty: no penalty; give a function that returns one number");
  }

  /// Error: the penalty is not one finite number.
  void on_gradients(TrainState& /*state*/) const {
    const Tensor value = penalty();
    if (!value.defined() || value.numel() != 1)
      throw Error("AddPenalty: found {}, expected one number", shape_text(value));
    if (!value.requires_grad()) return;
    // On a device reading the number would make the host wait for it.
    if (value.is_cpu() && !value.isfinite().item<bool>())
      throw Error("AddPenalty: the penalty is {}; lower its strength or the learning rate",
                  value.item<double>());
    value.backward();
  }
};

}  // namespace mtl
