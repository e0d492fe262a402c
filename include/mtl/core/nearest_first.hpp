#pragma once

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mtl {

/// How many bytes have to be put in, left out or changed to make one text of the other, upper and
/// lower case of ASCII letters counting as the same. Levenshtein 1966.
inline size_t edit_distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  std::vector<size_t> row(b.size() + 1);  // from the first i bytes of a to the first j of b
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t changed = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

/// The names there are, those that are written most like `wanted` first: for an error about a name
/// that there is not.
inline std::vector<std::string> nearest_first(std::string_view wanted,
                                              std::vector<std::string> names) {
  const auto distance = [&](const std::string& name) {
    // Of a name that holds the other one only the rest is to be added, however long.
    const bool holds = !wanted.empty() && name.find(wanted) != std::string::npos;
    return holds ? size_t{1} : edit_distance(wanted, name);
  };
  std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return distance(a) < distance(b);
  });
  return names;
}

}  // namespace mtl
