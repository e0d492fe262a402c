#pragma once

#include <numeric>

#include "mtl/data/splits/shares.hpp"

namespace mtl {

/// One contiguous part after the other, for whatever comes in time order: part k ends at row
/// floor(rows * (share 0 + .. + share k)). Each part is int64 [n], ascending.
/// Error: shares that are not positive, do not add up to 1, or leave a part without a row.
inline std::vector<Tensor> chronological_parts(int64_t rows, std::span<const double> shares) {
  std::vector<data_detail::RowList> parts;
  int64_t begin = 0;
  for (const int64_t end : data_detail::part_ends(rows, shares)) {
    data_detail::RowList& part = parts.emplace_back(end - begin);
    std::iota(part.begin(), part.end(), begin);
    begin = end;
  }
  return data_detail::to_tensors(std::move(parts));
}

/// The same with as many parts as shares are written:
///
///     auto [train, valid] = mtl::chronological_split(rows, {0.7, 0.3});
template <size_t N>
std::array<Tensor, N> chronological_split(int64_t rows, const double (&shares)[N]) {
  return data_detail::to_array<N>(chronological_parts(rows, shares));
}

}  // namespace mtl
