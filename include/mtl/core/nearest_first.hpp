#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/core/edit_distance.hpp"
#include "mtl/core/order.hpp"

namespace mtl {

/// The names there are, those that are written most like `wanted` first, upper and lower case of
/// ASCII letters counting as the same: for an error about a name that there is not. A name may be
/// as long as the file it comes from.
inline std::vector<std::string> nearest_first(std::string_view wanted,
                                              std::vector<std::string> names) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const auto same = [&](char a, char b) { return lower(a) == lower(b); };
  std::vector<double> distances;
  for (const std::string& name : names) {
    // Of a name that holds the other one only the rest is to be added, however long.
    const bool holds = !wanted.empty() && name.find(wanted) != std::string::npos;
    const bool is_far = name.size() > wanted.size() + 200;  // no slip of the pen
    const size_t distance = holds    ? 1
                            : is_far ? name.size()
                                     : edit_distance<std::string_view>(wanted, name, same);
    distances.push_back(static_cast<double>(distance));
  }
  std::vector<std::string> nearest;
  for (const size_t i : rising_order(distances)) nearest.push_back(std::move(names[i]));
  return nearest;
}

}  // namespace mtl
