#pragma once

#include <csetjmp>

namespace mtl::images {

/// libjpeg and libpng report errors by a function that must not return. This is the only place that
/// they jump back to: false when `step` was left by longjmp(jump). Nothing with a destructor may
/// live in `step` or in what it calls.
inline bool guarded(std::jmp_buf& jump, void (*step)(void*), void* state) {
  if (setjmp(jump) != 0) return false;
  step(state);
  return true;
}

}  // namespace mtl::images
