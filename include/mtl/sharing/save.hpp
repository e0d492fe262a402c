#pragma once

#include <filesystem>

#include "mtl/io/safetensors.hpp"
#include "mtl/nn/weights.hpp"
#include "mtl/sharing/model_ref.hpp"

namespace mtl {

/// Writes a model's parameters and buffers by their names, atomically, as safetensors. Folders are
/// made. Error: the file cannot be written.
inline void save(ModelRef model, const std::filesystem::path& file,
                 const io::Metadata& metadata = {}) {
  std::error_code failed;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), failed);
  if (failed) throw Error("cannot make the folder of \"{}\": {}", file.string(), failed.message());
  io::write_safetensors(file, nn::weights(*model), metadata);
}

}  // namespace mtl
