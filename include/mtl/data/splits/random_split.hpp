#pragma once

#include "mtl/data/splits/chronological_split.hpp"

namespace mtl {

/// Random rows, as many in each part as `chronological_parts` would take; each part is int64 [n],
/// ascending. Error: shares that are not positive, do not add up to 1, or leave a part without a
/// row.
inline std::vector<Tensor> random_parts(int64_t rows, std::span<const double> shares,
                                        uint64_t seed) {
  std::vector<Tensor> parts = chronological_parts(rows, shares);
  const Tensor order = shuffled_order(rows, seed);
  for (Tensor& part : parts) part = std::get<0>(order.index_select(0, part).sort());
  return parts;
}

/// The same with as many parts as shares are written:
///
///     auto [train, valid] = mtl::random_split(rows, {0.7, 0.3}, seed);
template <size_t N>
std::array<Tensor, N> random_split(int64_t rows, const double (&shares)[N], uint64_t seed) {
  return data_detail::to_array<N>(random_parts(rows, shares, seed));
}

}  // namespace mtl
