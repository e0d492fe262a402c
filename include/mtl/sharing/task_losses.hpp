#pragma once

#include <vector>

#include "mtl/combine/task_losses.hpp"
#include "mtl/core/batch.hpp"
#include "mtl/sharing/model.hpp"

namespace mtl {

/// The losses of every task that has labels in the batch, from the predictions of
/// model.forward(batch.inputs). `left_out`, by task, empty: none: as if it had no label.
TaskLosses task_losses(const Model& model, const NamedTensors& predictions, const Batch& batch,
                       const std::vector<bool>& left_out = {});

}  // namespace mtl
