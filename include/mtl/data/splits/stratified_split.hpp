#pragma once

#include <vector>

#include "mtl/core/order.hpp"
#include "mtl/data/splits/shares.hpp"

namespace mtl {

namespace data_detail {

/// How many of a class's `rows` rows go to each part: its shares to within one row. `wanted`
/// [parts], of sum `rows`, brings all classes together to their shares; where that is too much for
/// this class, what is left after rounding down goes to the parts that want it most.
inline RowList spread(int64_t rows, std::span<const double> shares, const RowList& wanted) {
  const auto share = [&](size_t part) { return shares[part] * static_cast<double>(rows); };
  RowList counts(wanted.size());
  bool fair = true;
  int64_t left = rows;
  for (size_t part = 0; part < wanted.size(); ++part) {
    fair = fair && wanted[part] >= 0 &&
           std::abs(static_cast<double>(wanted[part]) - share(part)) <= 1 + 1e-6;
    counts[part] = static_cast<int64_t>(std::floor(share(part) + 1e-6));
    left -= counts[part];
  }
  if (fair) return wanted;
  std::vector<double> want(wanted.size());
  for (size_t part = 0; part < want.size(); ++part)
    want[part] = static_cast<double>(wanted[part] - counts[part]);
  const std::vector<size_t> order = falling_order(want);
  for (size_t i = 0; i < static_cast<size_t>(left); ++i) ++counts[order[i]];
  return counts;
}

}  // namespace data_detail

/// Random rows, with each class spread over the parts by their shares to within one row, and all
/// together nearly so. A class with fewer rows than there are parts is absent from some of them.
/// `classes` [rows] of any integer type; missing labels (-100) are spread as a class of their own.
/// Each part is int64 [n], ascending.
/// Error: classes of another kind or shape; shares that are not positive, do not add up to 1, or
/// leave a part without a row.
inline std::vector<Tensor> stratified_parts(const Tensor& classes, std::span<const double> shares,
                                            uint64_t seed) {
  using namespace data_detail;
  std::vector<RowList> parts(shares.size());
  int64_t rows_so_far = 0;
  uint64_t stream = 0;
  for (const auto& [value, rows] : rows_by_value(classes, "classes")) {
    rows_so_far += std::ssize(rows);
    RowList wanted = part_ends(rows_so_far, shares);
    for (size_t part = wanted.size() - 1; part > 0; --part) wanted[part] -= wanted[part - 1];
    for (size_t part = 0; part < parts.size(); ++part) wanted[part] -= std::ssize(parts[part]);
    const RowList counts = spread(std::ssize(rows), shares, wanted);

    const RowList order = shuffled(rows, seed, stream++);
    auto next = order.begin();
    for (size_t part = 0; part < parts.size(); ++part) {
      parts[part].insert(parts[part].end(), next, next + counts[part]);
      next += counts[part];
    }
  }
  return to_tensors(std::move(parts));
}

/// The same with as many parts as shares are written:
///
///     auto [train, valid] = mtl::stratified_split(classes, {0.7, 0.3}, seed);
template <size_t N>
std::array<Tensor, N> stratified_split(const Tensor& classes, const double (&shares)[N],
                                       uint64_t seed) {
  return data_detail::to_array<N>(stratified_parts(classes, shares, seed));
}

}  // namespace mtl
