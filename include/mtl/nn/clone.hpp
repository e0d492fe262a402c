#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <type_traits>

#include "mtl/core/random.hpp"

namespace mtl::nn {

/// Gives `to`, a module of the same structure, copies of what `from` holds: parameters and buffers
/// with their types and devices, which of them are frozen, and the mode of every part.
/// Error: they have other parameters or buffers.
void copy_state(const torch::nn::Module& from, torch::nn::Module& to);

/// torch's own clone of a module, with an mtl::Error where the module has none. LibTorch's global
/// generator is left as it was.
std::shared_ptr<torch::nn::Module> clone_by_torch(const torch::nn::Module& module);

/// Whether a class says itself how it is copied: it may hold more than its options tell.
template <class Module>
constexpr bool overrides_clone() {
  if constexpr (requires { &Module::clone; })
    return !std::is_same_v<decltype(&Module::clone), decltype(&torch::nn::Module::clone)>;
  return true;  // it has several, or hides it
}

/// An independent copy of a module, with the same weights and modes. torch's own modules can be
/// copied; one of one's own where it derives from torch::nn::Cloneable, overrides clone(), or has
/// `options()` from which it can be made again. Error: none of that.
template <class Module>
std::shared_ptr<Module> clone(const Module& module) {
  if constexpr (!overrides_clone<Module>() && requires { Module(module.options()); }) {
    const KeepGenerator keep;
    auto copy = std::make_shared<Module>(module.options());
    copy_state(module, *copy);
    return copy;
  } else {
    return std::dynamic_pointer_cast<Module>(clone_by_torch(module));
  }
}

}  // namespace mtl::nn
