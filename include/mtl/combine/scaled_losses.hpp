#pragma once

#include "mtl/combine/task_losses.hpp"

namespace mtl {

/// The same losses with a backward pass in which every gradient is `scale` times as large as the
/// one that comes out of it, for graphs in float16: below 6e-8 its numbers are zero.
///
///     combiner.backward(mtl::scaled_losses(losses, 65536), *model);
///
/// The pass goes from `scale` times the losses back through the graph, and what reaches a leaf is
/// divided by it, in float32. So Gramian, rows and `.grad` are those of the losses themselves to
/// rounding, whatever the combiner: to the bit with a power of two, of which nothing leaves the
/// range of its type. What is beyond the range comes out as infinity or NaN. Values are the same. A
/// representation in less than float32 becomes one in float32. Under NoGradGuard the losses as they
/// are. Error: a scale that is not above 0 and finite.
TaskLosses scaled_losses(const TaskLosses& losses, double scale);

}  // namespace mtl
