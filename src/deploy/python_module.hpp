#pragma once

#include <map>
#include <string>

#include "mtl/deploy/kind.hpp"
#include "mtl/io/json.hpp"

namespace mtl::deploy_detail {

/// The text of "model.py" for a description. `forward`: bodies for classes of one's own.
/// Error: a body for a class that is not there.
std::string python_module(const io::Json& description, const Kinds& kinds,
                          const std::map<std::string, std::string>& forward);

}  // namespace mtl::deploy_detail
