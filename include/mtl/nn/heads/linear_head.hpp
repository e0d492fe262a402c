#pragma once

#include <torch/nn/modules/linear.h>

#include "mtl/nn/layer.hpp"

namespace mtl::nn {

/// One linear layer: [N, in] -> [N, out]. torch's own module under the name of its role.
using LinearHead = torch::nn::Linear;

}  // namespace mtl::nn
