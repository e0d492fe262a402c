#pragma once

#include <vector>

#include "mtl/combine/parameters.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// False where a real or complex tensor holds NaN or infinity. Undefined tensors are finite.
bool is_finite(const Tensor& tensor);

/// The entries that a gradient has: all, or those of a sparse one (an embedding's).
Tensor gradient_entries(const Tensor& gradient);

/// False where a gradient of one of the parameters holds NaN or infinity.
bool gradients_are_finite(const std::vector<Tensor>& parameters);

/// As zero_grad(set_to_none = true), which LibTorch 1 does not have, for all that a backward pass
/// may reach: what the optimizer does not hold shall not pile up either.
void drop_gradients(const std::vector<Tensor>& held, const Parameters& of_model);

/// Scales all gradients by one factor, so that their common 2-norm is at most `max_norm`: the bits
/// of torch's clip_grad_norm_. False, and nothing changed: the norm is not finite.
bool clip_gradients(const std::vector<Tensor>& parameters, double max_norm);

/// The same for a model on a device, whose work goes on: one number [] there that is finite where
/// the gradients are, for the caller to read. `max_norm` 0: nothing is scaled.
Tensor clip_unread(const std::vector<Tensor>& parameters, double max_norm, torch::Device device);

}  // namespace mtl
