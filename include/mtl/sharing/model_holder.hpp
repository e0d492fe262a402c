#pragma once

#include <torch/nn/pimpl.h>

#include "mtl/core/error.hpp"
#include "mtl/sharing/model.hpp"

namespace mtl {

/// What torch::nn::ModuleHolder is for modules: shares a model, and stands for it wherever a Model&
/// is asked for.
///
///     struct TwoInputs : mtl::ModelHolder<TwoInputsImpl> { using ModelHolder::ModelHolder; };
template <class Impl>
class ModelHolder : public torch::nn::ModuleHolder<Impl> {
 public:
  using torch::nn::ModuleHolder<Impl>::ModuleHolder;

  /// Error: the holder is empty.
  operator Model&() const {
    if (this->impl_ == nullptr) throw Error("the model is empty: its holder was made from nullptr");
    return *this->impl_;
  }
  operator const Parameters&() const { return static_cast<Model&>(*this); }
};

}  // namespace mtl
