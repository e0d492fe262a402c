#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/data/shuffled_order.hpp"

// What the splits have in common.

namespace mtl::data_detail {

using RowList = std::vector<int64_t>;

/// Where each part ends among `rows` rows.
RowList part_ends(int64_t rows, std::span<const double> shares);

/// The parts as int64 [n], each ascending. Error: one of them is empty.
std::vector<Tensor> to_tensors(std::vector<RowList> parts);

/// Rows of each class (or group), both in ascending order.
std::map<int64_t, RowList> rows_by_value(const Tensor& values, std::string_view what);

RowList shuffled(const RowList& values, uint64_t seed, uint64_t stream);

template <size_t N>
std::array<Tensor, N> to_array(std::vector<Tensor> parts) {
  std::array<Tensor, N> result;
  std::move(parts.begin(), parts.end(), result.begin());
  return result;
}

}  // namespace mtl::data_detail
