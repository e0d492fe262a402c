#pragma once

#include <string>
#include <string_view>

#include "mtl/io/json.hpp"

namespace mtl::deploy_detail {

/// What a kind is called in Python: a name of letters, digits, "_" and, for torch's, a dot; one of
/// one's own that is called like a class of the library's gets "Own" before it.
std::string python_name(const io::Json& description);

/// Whether it describes a part: a dictionary by the names of tasks may have a task called "kind".
bool is_description(const io::Json& value);

/// A description as the Python expression that makes it, within 100 columns where it can be;
/// `indent` is how far its later lines are moved in, `used` how much of its first line is taken.
std::string python_expression(const io::Json& value, size_t indent, size_t used);

}  // namespace mtl::deploy_detail
