#pragma once

#include "mtl/combine/combiner.hpp"
#include "mtl/sharing/model_ref.hpp"
#include "mtl/train/history.hpp"
#include "mtl/train/loader_ref.hpp"

namespace mtl {

/// One epoch of the loader in evaluation mode and without gradients: the loss of each task over its
/// labelled samples, their sum as the total, and the metrics. The model's mode is put back.
/// Error: a loss is NaN or infinite; no task has a label; the loader gives fewer or more batches
/// than it says.
SplitRecord validate(ModelRef model, LoaderRef loader);

/// The same with the combiner's total.
SplitRecord validate(ModelRef model, Combiner& combiner, LoaderRef loader);

}  // namespace mtl
