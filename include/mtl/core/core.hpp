#pragma once

#include "mtl/core/allocator.hpp"
#include "mtl/core/batch.hpp"
#include "mtl/core/edit_distance.hpp"
#include "mtl/core/error.hpp"
#include "mtl/core/formatted.hpp"
#include "mtl/core/loss_kind.hpp"
#include "mtl/core/nearest_first.hpp"
#include "mtl/core/order.hpp"
#include "mtl/core/random.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/core/threads.hpp"
#include "mtl/core/torch_version.hpp"
