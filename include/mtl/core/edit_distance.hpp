#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

namespace mtl {

/// How many elements have to be put in, left out or replaced to make one sequence (a text, a
/// vector) of the other, where `equal(x, y)` says which elements are the same. Levenshtein 1966.
template <class Sequence, class Equal = std::equal_to<>>
size_t edit_distance(const Sequence& a, const Sequence& b, Equal equal = {}) {
  std::vector<size_t> row(b.size() + 1);  // from the first i elements of a to the first j of b
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (equal(a[i], b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace mtl
