#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/edit_distance.hpp"

namespace mtl {

/// The names there are, those that are written most like `wanted` first, upper and lower case of
/// ASCII letters counting as the same: for an error about a name that there is not.
inline std::vector<std::string> nearest_first(std::string_view wanted,
                                              std::vector<std::string> names) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const auto same = [&](char a, char b) { return lower(a) == lower(b); };
  const auto distance = [&](const std::string& name) {
    // Of a name that holds the other one only the rest is to be added, however long.
    const bool holds = !wanted.empty() && name.find(wanted) != std::string::npos;
    return holds ? size_t{1} : edit_distance<std::string_view>(wanted, name, same);
  };
  std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return distance(a) < distance(b);
  });
  return names;
}

}  // namespace mtl
