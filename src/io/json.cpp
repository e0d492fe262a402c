#include "mtl/io/json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/io/atomic_file.hpp"

namespace mtl::io {
namespace {

// nlohmann counts the bytes it has read, so the fault lies at byte `read`, counted from 1.
[[noreturn]] void fail(std::string_view name, std::string_view text, std::size_t read,
                       std::string_view what) {
  const auto before = text.substr(0, std::min(read == 0 ? 0 : read - 1, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
  throw Error("{}, line {}, column {}: {}", name, line, column, what);
}

// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..." -> "syntax
// error ..."
std::string_view reason(std::string_view message) {
  for (const std::string_view mark : {"column ", "byte "})
    if (const auto at = message.find(mark); at != std::string_view::npos)
      if (const auto colon = message.find(": ", at); colon != std::string_view::npos)
        return message.substr(colon + 2);
  return message;
}

}  // namespace

Json parse_json(std::string_view text, std::string_view name) {
  std::vector<std::set<std::string>> open_objects;
  std::string repeated;
  const auto watch_keys = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == Json::parse_event_t::object_end) open_objects.pop_back();
    if (event == Json::parse_event_t::key && repeated.empty()) {
      const auto& key = value.get_ref<const std::string&>();
      if (!open_objects.back().insert(key).second) repeated = key;
    }
    return true;
  };
  try {
    Json value = Json::parse(text, watch_keys);
    if (repeated.empty()) return value;
  } catch (const Json::parse_error& error) {
    fail(name, text, error.byte, reason(error.what()));
  } catch (const Json::exception& error) {  // a number out of range
    throw Error("{}: {}", name, error.what());
  }
  throw Error("{}: the key \"{}\" stands twice in one object.", name, repeated);
}

Json read_json(const std::filesystem::path& path) {
  return parse_json(read_file(path), path.string());
}

std::string json_text(const Json& value, int indent) {
  try {
    return value.dump(indent);
  } catch (const Json::exception& error) {
    throw Error("cannot write JSON: {}", error.what());
  }
}

void write_json(const std::filesystem::path& path, const Json& value) {
  write_file_atomically(path, json_text(value) + "\n");
}

}  // namespace mtl::io
