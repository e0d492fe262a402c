#pragma once

#include <string>

#include "mtl/core/batch.hpp"
#include "mtl/sharing/model.hpp"

namespace mtl {

/// Says why the loss of `task` is NaN or infinite on this batch: an input, a target, the
/// prediction, the loss itself, or parameters that an earlier gradient ruined.
std::string explain_loss(const Model& model, const Batch& batch, const NamedTensors& predictions,
                         const std::string& task);

/// Says where in `.grad` NaN or infinity stands, and which task's gradient brings it there (each
/// task's loss is computed and differentiated again, so call it before the optimizer steps).
std::string explain_gradient(Model& model, const Batch& batch);

}  // namespace mtl
