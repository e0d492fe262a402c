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
NamedTensors cached_tensors(const std::filesystem::path& file, const std::string& made_of,
                            const std::function<NamedTensors()>& make);

}  // namespace mtl::io
