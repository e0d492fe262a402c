#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// 0..count-1 in an order that depends on (seed, stream) only, whatever the platform and the
/// LibTorch version: int64 [count].
Tensor shuffled_order(int64_t count, uint64_t seed, uint64_t stream = 0);

// Each split takes the shares of its parts, which add up to 1, and gives the row indices of each
// part, int64 [n]:
//
//     auto [train, valid] = mtl::chronological_split(rows, {0.7, 0.3});
//
// All throw Error when the shares are not positive, do not add up to 1, or leave a part empty.

/// One contiguous part after the other; part k ends at row floor(rows * (share 0 + .. + share k)).
std::vector<Tensor> chronological_parts(int64_t rows, std::span<const double> shares);
/// As chronological, of rows in random order; the indices of each part ascend.
std::vector<Tensor> random_parts(int64_t rows, std::span<const double> shares, uint64_t seed);
/// Random, with each class spread over the parts by their shares to within one row. `classes`
/// [rows] of any integer type; missing labels (-100) are spread as a class of their own.
std::vector<Tensor> stratified_parts(const Tensor& classes, std::span<const double> shares,
                                     uint64_t seed);
/// Random, with rows of the same group (a person, a house, a day) in the same part. `groups` [rows]
/// of any integer type. Shares are met as nearly as whole groups in random order allow.
std::vector<Tensor> group_parts(const Tensor& groups, std::span<const double> shares,
                                uint64_t seed);

namespace detail {
template <size_t N>
std::array<Tensor, N> to_array(std::vector<Tensor> parts) {
  std::array<Tensor, N> result;
  std::move(parts.begin(), parts.end(), result.begin());
  return result;
}
}  // namespace detail

template <size_t N>
std::array<Tensor, N> chronological_split(int64_t rows, const double (&shares)[N]) {
  return detail::to_array<N>(chronological_parts(rows, shares));
}
template <size_t N>
std::array<Tensor, N> random_split(int64_t rows, const double (&shares)[N], uint64_t seed) {
  return detail::to_array<N>(random_parts(rows, shares, seed));
}
template <size_t N>
std::array<Tensor, N> stratified_split(const Tensor& classes, const double (&shares)[N],
                                       uint64_t seed) {
  return detail::to_array<N>(stratified_parts(classes, shares, seed));
}
template <size_t N>
std::array<Tensor, N> group_split(const Tensor& groups, const double (&shares)[N], uint64_t seed) {
  return detail::to_array<N>(group_parts(groups, shares, seed));
}

}  // namespace mtl
