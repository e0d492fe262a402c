#pragma once

#include "mtl/core/tensor.hpp"
#include "mtl/sharing/model_ref.hpp"

namespace mtl {

/// What the tasks of a model share, by full names, sharing memory with it: shared_parameters() and
/// the buffers that lie among them. Of a model of one task all but what its way of sharing gives to
/// a task: with HardSharing the encoder. What a merging takes; nn::weights gives all of it.
NamedTensors shared_weights(ModelRef model);

}  // namespace mtl
