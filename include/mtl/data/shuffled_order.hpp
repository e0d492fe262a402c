#pragma once

#include <cstdint>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// 0..count-1 in an order that depends on (seed, stream) only, whatever the platform and the
/// LibTorch version: int64 [count].
Tensor shuffled_order(int64_t count, uint64_t seed, uint64_t stream = 0);

}  // namespace mtl
