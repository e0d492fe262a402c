#pragma once

#include <c10/util/intrusive_ptr.h>

#include <concepts>

namespace mtl {

/// An autograd node by the pointer that LibTorch has for it: std::shared_ptr, later
/// c10::intrusive_ptr.
template <class Pointer, class Derived>
Pointer made_node() {
  if constexpr (std::constructible_from<Pointer, Derived*>)
    return Pointer(new Derived());
  else
    return c10::make_intrusive<Derived>();
}

}  // namespace mtl
