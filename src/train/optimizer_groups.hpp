#pragma once

#include <torch/optim/optimizer.h>

#include <string>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/sharing/model.hpp"

namespace mtl {

/// Lets the combiner's learnable parameters join the optimizer as a group of their own, without
/// weight decay; nothing where they are in it already. Error: only some of them are.
void join(Combiner& combiner, torch::optim::Optimizer& optimizer);

/// What the optimizer trains, in the order of its groups. Error: a tensor is in it twice, or none
/// of the model's parameters is.
std::vector<Tensor> held_parameters(torch::optim::Optimizer& optimizer, const Model& model);

/// The model's parameters that ask for a gradient and are not in `held`, by name.
std::vector<std::string> not_held(const Model& model, const std::vector<Tensor>& held);

/// Error: an optimizer that a trainer cannot serve, or that would leave the head of a task as it
/// was made, though it is not frozen. (Leaving the shared part out is how a pretrained one is
/// used.)
void check_optimizer(torch::optim::Optimizer& optimizer, Model& model);

}  // namespace mtl
