#include "mtl/io/json_member.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/io/excerpt.hpp"

namespace mtl::io {
namespace {

void require(bool fits, const Json& value, const std::string& name, std::string_view expected) {
  if (!fits)
    throw Error("{}: found {}, expected {}", name, excerpt(json_text(value, -1)), expected);
}

template <class T>
T value_of(const Json& value, const std::string& name) {
  if constexpr (std::is_same_v<T, int64_t>) {
    return json_integer(value, name);
  } else if constexpr (std::is_same_v<T, double>) {
    require(value.is_number(), value, name, "a number");
    return value.get<double>();
  } else if constexpr (std::is_same_v<T, bool>) {
    require(value.is_boolean(), value, name, "true or false");
    return value.get<bool>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    require(value.is_string(), value, name, "a text");
    return value.get<std::string>();
  } else {
    require(value.is_array(), value, name, "a list");
    T items;
    for (const Json& item : value)
      items.push_back(
          value_of<typename T::value_type>(item, name + "[" + std::to_string(items.size()) + "]"));
    return items;
  }
}

}  // namespace

template <class T>
T json_member(const Json& object, std::string_view key, std::string_view file) {
  const std::string place(file), name(key);
  require(object.is_object(), object, place, "an object");
  if (!object.contains(name)) throw Error("{}: \"{}\" is missing", place, name);
  return value_of<T>(object.at(name), place + ": \"" + name + "\"");
}

template int64_t json_member(const Json&, std::string_view, std::string_view);
template double json_member(const Json&, std::string_view, std::string_view);
template bool json_member(const Json&, std::string_view, std::string_view);
template std::string json_member(const Json&, std::string_view, std::string_view);
template std::vector<int64_t> json_member(const Json&, std::string_view, std::string_view);
template std::vector<double> json_member(const Json&, std::string_view, std::string_view);
template std::vector<bool> json_member(const Json&, std::string_view, std::string_view);
template std::vector<std::string> json_member(const Json&, std::string_view, std::string_view);

}  // namespace mtl::io
