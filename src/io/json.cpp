#include "mtl/io/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/excerpt.hpp"
#include "mtl/io/file.hpp"

namespace mtl::io {
namespace {

/// "[json.exception.type_error.316] invalid UTF-8 byte ..." -> "invalid UTF-8 byte ..."
std::string_view behind_bracket(std::string_view message) {
  const auto bracket = message.find("] ");
  return bracket == std::string_view::npos ? message : message.substr(bracket + 2);
}

// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..." ->
// "syntax error ..."
std::string_view reason(std::string_view message) {
  for (const std::string_view mark : {"column ", "byte "})
    if (const auto at = message.find(mark); at != std::string_view::npos)
      if (const auto colon = message.find(": ", at); colon != std::string_view::npos)
        return message.substr(colon + 2);
  return behind_bracket(message);
}

/// The byte, counted from 1, of the bracket that opens level `depth`.
size_t opening_of_level(std::string_view text, size_t depth) {
  bool in_string = false;
  size_t open = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\') ++i;
    if (in_string) continue;
    if ((c == '[' || c == '{') && ++open == depth) return i + 1;
    if (c == ']' || c == '}') --open;
  }
  return text.size();
}

/// Builds a value from the parser's events. nlohmann's own builder looks through all keys of an
/// object for each new one, and knows no bound of the depth.
class JsonBuilder : public nlohmann::json_sax<Json> {
 public:
  JsonBuilder(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr) != nullptr; }
  bool boolean(bool value) override { return add(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return add(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return add(value) != nullptr; }
  bool number_float(number_float_t value, const std::string&) override {
    return add(value) != nullptr;
  }
  bool string(std::string& value) override { return add(std::move(value)) != nullptr; }
  bool binary(binary_t&) override { return false; }  // JSON text has none
  bool key(std::string& value) override {
    key_ = std::move(value);
    return true;
  }
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_array() override {
    open_.pop_back();
    return true;
  }
  bool end_object() override {
    std::vector<std::string_view> keys;
    for (const auto& [key, value] : members(*open_.back())) keys.push_back(key);
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end())
      throw Error("{}: the key \"{}\" stands twice in one object", name_, excerpt(*twice));
    open_.pop_back();
    return true;
  }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    fail(position, excerpt(reason(error.what()), 200));
  }

 private:
  // nlohmann counts the bytes it has read, so the fault lies at byte `read`, counted from 1.
  [[noreturn]] void fail(size_t read, std::string_view what) const {
    const auto before = text_.substr(0, std::min(read == 0 ? 0 : read - 1, text_.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
    throw Error("{}, line {}, column {}: {}", name_, line, column, what);
  }

  static Json::object_t& members(Json& object) { return object.get_ref<Json::object_t&>(); }

  Json* add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    members(parent).emplace_back(std::move(key_), std::move(value));
    return &members(parent).back().second;
  }

  bool open(Json container) {
    if (open_.size() == deepest_json)
      fail(opening_of_level(text_, deepest_json + 1),
           fmt::format("arrays and objects stand more than {} deep in each other", deepest_json));
    open_.push_back(add(std::move(container)));  // its parent gets no member while it is open
    return true;
  }

  std::string_view text_, name_;
  Json root_;
  std::vector<Json*> open_;
  std::string key_;
};

}  // namespace

Json parse_json(std::string_view text, std::string_view name) {
  JsonBuilder builder(text, name);
  Json::sax_parse(text, &builder);
  return builder.take();
}

Json read_json(const std::filesystem::path& path) {
  return parse_json(read_file(path, largest_json), path.string());
}

int64_t json_integer(const Json& value, std::string_view name) {
  const bool fits = value.is_number_integer() &&
                    (!value.is_number_unsigned() || value.get<uint64_t>() <= uint64_t{INT64_MAX});
  if (!fits) throw Error("{} is {}, expected an integer", name, excerpt(value.dump()));
  return value.get<int64_t>();
}

std::string json_text(const Json& value, int indent) {
  try {
    return value.dump(indent);
  } catch (const Json::exception& error) {
    throw Error("cannot write JSON: {}; texts, such as names, have to be UTF-8",
                excerpt(behind_bracket(error.what()), 200));
  }
}

void write_json(const std::filesystem::path& path, const Json& value) {
  write_file_atomically(path, json_text(value) + "\n");
}

}  // namespace mtl::io
