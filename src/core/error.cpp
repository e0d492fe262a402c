#include "mtl/core/error.hpp"

#include <fmt/format.h>

namespace mtl {

std::string Error::formatted(fmt::string_view format, fmt::format_args arguments) {
  return fmt::vformat(format, arguments);
}

}  // namespace mtl
