#pragma once

#include "mtl/core/batch.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/train/arithmetic.hpp"

namespace mtl {

/// The model's predictions of a batch, in float32 also where it computes in less. FaultyStep: the
/// model does not take it; the text tells the inputs' shapes and types.
NamedTensors forward(Model& model, const Batch& batch, Arithmetic arithmetic = Arithmetic::float32);

/// Where the model's parameters lie.
torch::Device device_of(const Model& model);

}  // namespace mtl
