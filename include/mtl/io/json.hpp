#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace mtl::io {

/// A JSON value whose objects keep the order of their keys. Include <nlohmann/json.hpp> to look
/// inside.
using Json = nlohmann::ordered_json;

/// Parses a whole JSON text. A syntax error or a key given twice in one object is an `mtl::Error`
/// with `name`, line and column (counted from 1, columns in bytes).
Json parse_json(std::string_view text, std::string_view name = "JSON text");

/// Parses a file; errors carry its path.
Json read_json(const std::filesystem::path& path);

/// The text of a value, indented by `indent` spaces a level, or on one line where `indent` is
/// negative. Numbers read back exactly; JSON has no NaN and no infinity, they become `null`. Text
/// that is not UTF-8 is an `mtl::Error`.
std::string json_text(const Json& value, int indent = 2);

/// Writes `json_text(value)` and a line end to a file, atomically.
void write_json(const std::filesystem::path& path, const Json& value);

}  // namespace mtl::io
