#pragma once

namespace mtl {

/// What to do with a batch whose loss or gradient is NaN or infinite, or that the model or the
/// combiner does not take. Either way model, buffers, optimizer, generator and the epoch's means
/// are as if the batch had not been there.
enum class FaultyBatch {
  stop,  ///< an Error that names epoch, batch, task and what was at fault
  skip,  ///< no update from it; the run counts and reports how many there were
};

}  // namespace mtl
