#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mtl/data/splits/k_folds.hpp"

namespace mtl {

/// A cross-validation of rows whose neighbours are alike (pictures of one animal, records of one
/// hour): a fold takes rows of a class that follow each other, so that what judges is as new as
/// what is still to come. Each class is spread over the folds to within one row; classes begin at
/// different folds, which evens their sizes out. A fold without a row is left out. `classes` [rows]
/// of any integer type; missing labels (-100) are a class of their own. Fold::train is ascending,
/// Fold::test so within each class, one class after the other.
/// Error: classes of another kind or shape; fewer than two folds, or rows for fewer than two.
inline std::vector<Fold> neighbour_folds(const Tensor& classes, int64_t folds) {
  using namespace data_detail;
  if (folds < 2) throw Error("neighbour_folds: found {} folds, expected at least 2", folds);
  std::vector<RowList> parts(static_cast<size_t>(folds));
  for (const auto& [value, rows] : rows_by_value(classes, "classes")) {
    const int64_t size = std::ssize(rows), begin = (value % folds + folds) % folds;
    for (int64_t i = 0; i < size; ++i)
      parts[static_cast<size_t>((i * folds / size + begin) % folds)].push_back(
          rows[static_cast<size_t>(i)]);
  }
  std::erase_if(parts, [](const RowList& part) { return part.empty(); });
  if (parts.size() < 2)
    throw Error("neighbour_folds: {} rows fill {} folds, expected at least 2", classes.size(0),
                parts.size());
  std::vector<Fold> found;
  for (const RowList& part : parts) {
    const Tensor test = torch::tensor(part, torch::kInt64);
    const Tensor others = torch::ones({classes.size(0)}, torch::kBool).index_fill_(0, test, false);
    found.push_back({others.nonzero().squeeze(1), test});
  }
  return found;
}

}  // namespace mtl
