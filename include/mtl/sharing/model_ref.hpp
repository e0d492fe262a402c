#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "mtl/core/error.hpp"
#include "mtl/sharing/model.hpp"

namespace mtl {

/// A model as functions take it: a Model&, a holder of one, or a smart pointer to one. Keeps alive
/// what it was given, but for a bare Model& that nobody shares and for somebody else's unique_ptr.
class ModelRef {
 public:
  ModelRef(Model& model) : model_(std::shared_ptr<void>(model.weak_from_this().lock()), &model) {}

  template <std::derived_from<Model> Impl>
  ModelRef(std::unique_ptr<Impl>&& model) : model_(std::move(model)) {
    if (model_ == nullptr) throw Error("the model is empty: a null pointer was given");
  }

  template <class Holder>
  requires(!std::derived_from<std::remove_cvref_t<Holder>, Model> &&
           !std::same_as<std::remove_cvref_t<Holder>, ModelRef> &&
           requires(Holder & holder) {
             { *holder } -> std::convertible_to<const Model&>;
           }) ModelRef(const Holder& holder)
      : ModelRef(model_of(holder)) {}

  Model& operator*() const { return *model_; }
  Model* operator->() const { return model_.get(); }
  operator Model&() const { return *model_; }

 private:
  template <class Holder>
  static Model& model_of(const Holder& holder) {
    // A constant torch holder gives constant access, though its model is shared.
    if constexpr (requires { holder.ptr(); }) {
      if (holder.is_empty()) throw Error("the model is empty: its holder was made from nullptr");
      return *holder.ptr();
    } else {
      if (!holder) throw Error("the model is empty: a null pointer was given");
      return *holder;
    }
  }

  std::shared_ptr<Model> model_;
};

}  // namespace mtl
