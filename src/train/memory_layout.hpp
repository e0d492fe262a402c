#pragma once

#include "mtl/core/batch.hpp"
#include "mtl/sharing/model.hpp"

namespace mtl {

/// Lays the weights of convolutions, [out, in, height, width], down with the channels last. Their
/// values and shapes stay.
void lay_channels_last(Model& model);

/// The batch with inputs [N, C, H, W] laid down so; others stay.
Batch with_channels_last(Batch batch);

}  // namespace mtl
