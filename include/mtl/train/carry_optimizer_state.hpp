#pragma once

#include <torch/optim/optimizer.h>

#include <vector>

#include "mtl/sharing/surgery/task_change.hpp"

namespace mtl {

/// Gives an optimizer of the same kind, made for a model with a task more or less, what another
/// knows of the tensors that both models have (momenta, step counts): training goes on as if the
/// task had always been there, or never. What is new begins with nothing remembered; learning rates
/// and other options are the new optimizer's own.
///
///     auto [smaller, kept] = mtl::drop_task(model, "ear");
///     torch::optim::Adam next(smaller->parameters(), 1e-3);
///     mtl::carry_optimizer_state(adam, next, kept);
///
/// Known: SGD, Adam, AdamW, RMSprop, Adagrad. Error, before anything is changed: another optimizer,
/// or one of another kind.
void carry_optimizer_state(torch::optim::Optimizer& from, torch::optim::Optimizer& to,
                           const std::vector<KeptTensor>& kept);

}  // namespace mtl
