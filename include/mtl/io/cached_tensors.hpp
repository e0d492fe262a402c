#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "mtl/core/error.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/safetensors.hpp"

namespace mtl::io {

/// What `make` makes, kept in a safetensors file between runs: read where the file is there and was
/// made of the same, else made and written (atomically, its folder too). `made_of` names all that
/// the tensors depend on, best as a Digest of it, and the version of the recipe. A file that is
/// damaged is made anew, as is one of something else.
/// Error: the file cannot be written.
inline NamedTensors cached_tensors(const std::filesystem::path& file, const std::string& made_of,
                                   const std::function<NamedTensors()>& make) {
  constexpr const char* key = "made_of";
  std::error_code ignored;  // what is wrong with the path is said where the file is written
  if (std::filesystem::exists(file, ignored)) {
    try {
      Metadata metadata;
      NamedTensors kept = read_safetensors(file, &metadata);
      if (metadata[key] == made_of) return kept;
    } catch (const Error&) {  // damaged: what follows replaces it
    }
  }
  NamedTensors made = make();
  make_folder_of(file);
  write_safetensors(file, made, {{key, made_of}});
  return made;
}

}  // namespace mtl::io
