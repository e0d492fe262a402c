#include "mtl/core/version.hpp"

namespace mtl {

std::string_view library_version() { return MTL_VERSION_STRING; }

}  // namespace mtl
