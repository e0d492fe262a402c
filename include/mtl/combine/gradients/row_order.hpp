#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// The order in which row i of T meets the others: a permutation of 0 .. T-1 (i itself is skipped).
using RowOrder = std::function<std::vector<int64_t>(int64_t row, int64_t rows)>;

/// Random orders, or those of the caller. A counter of its own is the whole state: no other draw
/// changes them, and a resumed run goes on where it was.
class RowOrders {
 public:
  RowOrders(uint64_t seed, RowOrder own) : seed_(seed), own_(std::move(own)) {}

  /// Writes the order to `order`. Error: the caller's is no permutation.
  void next(int64_t row, int64_t rows, std::vector<int64_t>& order);
  NamedTensors state_dict() const;
  void load_state_dict(const NamedTensors& state);

 private:
  uint64_t seed_;
  uint64_t drawn_ = 0;
  RowOrder own_;
};

}  // namespace mtl
