#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "mtl/core/error.hpp"

namespace mtl {

/// A `Base&` that lives long enough: one given by name is referred to, one given as a value or by
/// an owning pointer is kept.
template <class Base>
class Kept {
 public:
  Kept(Base& object) : object_(std::shared_ptr<void>(), &object) {}

  template <class Derived>
  requires(std::derived_from<Derived, Base> && !std::is_lvalue_reference_v<Derived> &&
           !std::is_const_v<Derived>) Kept(Derived&& object)
      : object_(std::make_shared<Derived>(std::move(object))) {}

  /// Error: the pointer is null.
  template <std::derived_from<Base> Derived>
  Kept(std::unique_ptr<Derived>&& object) : Kept(std::shared_ptr<Derived>(std::move(object))) {}
  template <std::derived_from<Base> Derived>
  Kept(std::shared_ptr<Derived> object) : object_(std::move(object)) {
    if (object_ == nullptr) throw Error("Trainer: an optimizer or a combiner is a null pointer");
  }

  Base& operator*() const { return *object_; }
  Base* operator->() const { return object_.get(); }

 private:
  std::shared_ptr<Base> object_;
};

}  // namespace mtl
