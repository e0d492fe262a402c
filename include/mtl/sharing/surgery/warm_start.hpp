#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/sharing/model_ref.hpp"

namespace mtl {

/// What a warm start took and what it left.
struct WarmStart {
  std::vector<std::string> taken = {};   ///< names in the model that got a value
  std::vector<std::string> left = {};    ///< names in the model that kept theirs
  std::vector<std::string> unused = {};  ///< names of weights for which the model has no place
};

/// A part of the weights, and the part of the model that it becomes: whole segments of names.
struct RenamedPart {
  std::string from, to;
};

/// Begins with what another model has learned: copies the weights that the model has, too, by name,
/// and leaves the others as they are. Types and devices stay the model's.
///
///     warm_start(joint, nn::weights(*single));                           // of one way of sharing
///     warm_start(soft, nn::weights(*single), {{"encoder", "encoders.ear"}});
///     warm_start(joint, io::read_safetensors("ear.safetensors"));
///
/// A renamed part goes to its new place only; the first that fits counts.
/// Error, before anything is changed: a shape that differs, two weights for one place, a renamed
/// part that the weights or the model lack, nothing in common.
WarmStart warm_start(ModelRef model, const NamedTensors& weights,
                     const std::vector<RenamedPart>& renamed = {});

}  // namespace mtl
