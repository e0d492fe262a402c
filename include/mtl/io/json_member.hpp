#pragma once

#include <string_view>

#include "mtl/io/json.hpp"

namespace mtl::io {

/// A member of the object that a file holds, as int64_t, double, bool, std::string or a std::vector
/// of one of these; `file` is what errors call it.
///
///     const Json json = mtl::io::read_json("config.json");
///     auto widths = mtl::io::json_member<std::vector<int64_t>>(json, "widths", "config.json");
///
/// Error, with file and key: there is no such member, it is of another type, or an integer beyond
/// int64. (`get<T>()` takes any number for any other, and its errors name neither.)
template <class T>
T json_member(const Json& object, std::string_view key, std::string_view file);

}  // namespace mtl::io
