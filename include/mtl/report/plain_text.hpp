#pragma once

#include <string>

#include "mtl/report/html.hpp"

namespace mtl::report {

/// A table for a terminal: cells below each other, two spaces between columns.
std::string plain_text(const TextTable& table);

}  // namespace mtl::report
