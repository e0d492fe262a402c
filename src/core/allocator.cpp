#include "mtl/core/allocator.hpp"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace mtl {

bool tune_allocator() {
#ifdef __GLIBC__
  // Large blocks come from the heap rather than from maps of their own, and the heap never shrinks.
  constexpr int top_pad = 64 << 20;
  return mallopt(M_MMAP_MAX, 0) == 1 && mallopt(M_TRIM_THRESHOLD, -1) == 1 &&
         mallopt(M_TOP_PAD, top_pad) == 1;
#else
  return false;
#endif
}

}  // namespace mtl
