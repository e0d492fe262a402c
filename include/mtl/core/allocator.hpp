#pragma once

namespace mtl {

/// Lets the C library keep freed memory for the next large tensor instead of returning it to the
/// system, which would hand out every page anew. Steps with tensors of tens of megabytes on the CPU
/// gain up to a third; small nets gain nothing. The process keeps its peak memory until it ends,
/// and that peak is higher. Call it once, before the first large tensor; it changes the whole
/// process. Returns false where there is nothing to tune (another C library than glibc).
bool tune_allocator();

}  // namespace mtl
