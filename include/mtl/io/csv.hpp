#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mtl::io {

/// One CSV line (RFC 4180, ended by "\n"): a field with a comma, a quote or a line end is quoted.
std::string csv_row(const std::vector<std::string>& fields);

/// The shortest decimal text that reads back as the same number; NaN, which stands for "no value",
/// is the empty field.
std::string csv_number(double value);

}  // namespace mtl::io
