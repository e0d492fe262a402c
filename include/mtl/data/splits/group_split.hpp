#pragma once

#include "mtl/data/splits/shares.hpp"

namespace mtl {

/// Random, with rows of the same group (a person, a house, a day) in the same part. Shares are met
/// as nearly as whole groups in random order allow. `groups` [rows] of any integer type. Each part
/// is int64 [n], ascending. Error: groups of another kind or shape; shares that are not positive,
/// do not add up to 1, or leave a part without a group.
inline std::vector<Tensor> group_parts(const Tensor& groups, std::span<const double> shares,
                                       uint64_t seed) {
  using namespace data_detail;
  const auto rows = rows_by_value(groups, "groups");
  RowList names;
  names.reserve(rows.size());
  for (const auto& [name, members] : rows) names.push_back(name);
  const RowList ends = part_ends(groups.size(0), shares);
  std::vector<RowList> parts(shares.size());
  size_t part = 0;
  int64_t placed = 0;
  for (const int64_t name : shuffled(names, seed, 0)) {
    const RowList& members = rows.at(name);
    const int64_t size = std::ssize(members);
    // A group goes where its middle lies, but no part is passed over without a group.
    while (part + 1 < parts.size() && 2 * placed + size > 2 * ends[part] && !parts[part].empty())
      ++part;
    parts[part].insert(parts[part].end(), members.begin(), members.end());
    placed += size;
  }
  return to_tensors(std::move(parts));
}

/// The same with as many parts as shares are written:
///
///     auto [train, valid] = mtl::group_split(groups, {0.7, 0.3}, seed);
template <size_t N>
std::array<Tensor, N> group_split(const Tensor& groups, const double (&shares)[N], uint64_t seed) {
  return data_detail::to_array<N>(group_parts(groups, shares, seed));
}

}  // namespace mtl
