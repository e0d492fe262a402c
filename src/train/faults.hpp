#pragma once

#include <string>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/core/batch.hpp"
#include "mtl/sharing/model.hpp"

namespace mtl {

/// Says why the loss of `task` is NaN or infinite on this batch: an input, a target, the
/// prediction, or the loss itself. Error: a parameter is at fault, which no other batch mends.
std::string explain_loss(const Model& model, const Batch& batch, const NamedTensors& predictions,
                         const std::string& task);

/// Says which task's gradient is NaN or infinite, and at which parameter first (each task's loss is
/// computed and differentiated again, part by part, with `.grad` as it is). Call it with buffers
/// and generator as they were before the step.
std::string explain_gradient(Model& model, const std::vector<Batch>& parts);

/// Error: a parameter of the model or the combiner is NaN or infinite.
void check_parameters(const Model& model);
void check_parameters(const Model& model, Combiner& combiner);

/// While an exception is handled: throws it on, with `place` before the text of mtl's own and
/// LibTorch's; what somebody's own loss or layer threw as it is.
[[noreturn]] void rethrow_at(const std::string& place);

}  // namespace mtl
