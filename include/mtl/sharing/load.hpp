#pragma once

#include <filesystem>

#include "mtl/io/safetensors.hpp"
#include "mtl/nn/weights.hpp"
#include "mtl/sharing/model_ref.hpp"

namespace mtl {

/// Puts the weights that `save` wrote into a model of the same structure; device and type stay the
/// model's. Error, before anything is changed: the file is missing or damaged, or of another model.
inline void load(ModelRef model, const std::filesystem::path& file) {
  const NamedTensors weights = io::read_safetensors(file);
  try {
    nn::load_weights(*model, weights);
  } catch (const Error& error) {
    throw Error("model file \"{}\": {}", file.string(), error.what());
  }
}

}  // namespace mtl
