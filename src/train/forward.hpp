#pragma once

#include "mtl/core/batch.hpp"
#include "mtl/sharing/model.hpp"

namespace mtl {

/// The model's predictions of a batch. FaultyStep: the model does not take it; the text tells the
/// inputs' shapes and types.
NamedTensors forward(Model& model, const Batch& batch);

/// Where the model's parameters lie.
torch::Device device_of(const Model& model);

}  // namespace mtl
