#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mtl/data/splits/random_split.hpp"

namespace mtl {

/// One part of a cross-validation: the rows of one fold, and those of all others; int64 [n].
struct Fold {
  Tensor train, test;
};

/// Random rows in `folds` parts of nearly one size, each of which is left out once: every row is in
/// the test part of one fold. Error: fewer than two folds, more folds than rows.
///
///     for (const mtl::Fold& fold : mtl::k_folds(data.size(), 10, seed)) ...
inline std::vector<Fold> k_folds(int64_t rows, int64_t folds, uint64_t seed) {
  if (folds < 2 || folds > rows)
    throw Error("k_folds: found {} folds of {} rows, expected 2 to as many as there are rows",
                folds, rows);
  const std::vector<double> shares(static_cast<size_t>(folds), 1.0 / static_cast<double>(folds));
  const std::vector<Tensor> parts = random_parts(rows, shares, seed);
  std::vector<Fold> found;
  for (size_t left_out = 0; left_out < parts.size(); ++left_out) {
    std::vector<Tensor> others;
    for (size_t i = 0; i < parts.size(); ++i)
      if (i != left_out) others.push_back(parts[i]);
    found.push_back({torch::cat(others), parts[left_out]});
  }
  return found;
}

}  // namespace mtl
