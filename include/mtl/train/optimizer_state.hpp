#pragma once

#include <torch/optim/optimizer.h>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// Everything that an optimizer remembers, by names "<group>.<parameter>.<quantity>", and the
/// learning rates of its groups as "learning_rates". Known: SGD, Adam, AdamW, RMSprop, Adagrad.
/// Error: another optimizer.
NamedTensors optimizer_state(torch::optim::Optimizer& optimizer);

/// Puts it back. Error, before anything is changed: another optimizer's state, other groups or
/// shapes.
void load_optimizer_state(torch::optim::Optimizer& optimizer, const NamedTensors& state);

}  // namespace mtl
