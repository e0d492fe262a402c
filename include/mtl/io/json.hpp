#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace mtl::io {

/// A JSON value whose objects keep the order of their keys. Include <nlohmann/json.hpp> to look
/// inside.
using Json = nlohmann::ordered_json;

/// How deep arrays and objects may stand in each other: whoever walks over a value by recursion
/// needs so much of the stack and no more.
inline constexpr int deepest_json = 200;

/// How many bytes a JSON file may have: its values take up to thirty times as many.
inline constexpr int64_t largest_json = int64_t{64} << 20;

/// Parses a whole JSON text, in time and memory in proportion to it.
/// Error: no JSON, a key given twice in one object, a number out of range, or nested deeper than
/// `deepest_json`; with `name`, line and column (counted from 1, columns in bytes).
Json parse_json(std::string_view text, std::string_view name = "JSON text");

/// Parses a file of at most `largest_json` bytes; errors carry its path.
Json read_json(const std::filesystem::path& path);

/// The integer that a value of a file is; `name` is what errors call it. (`get<int64_t>()` takes
/// any number, and one beyond int64 is undefined behaviour.)
/// Error: anything but an integer within int64.
int64_t json_integer(const Json& value, std::string_view name);

/// The text of a value, indented by `indent` spaces a level, or on one line where `indent` is
/// negative. Numbers read back exactly; JSON has no NaN and no infinity, they become `null`.
/// Error: text that is not UTF-8.
std::string json_text(const Json& value, int indent = 2);

/// Writes `json_text(value)` and a line end to a file, atomically.
void write_json(const std::filesystem::path& path, const Json& value);

}  // namespace mtl::io
