#pragma once

#include <cstdint>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "mtl/combine/state/task_numbers.hpp"
#include "mtl/core/error.hpp"
#include "mtl/core/random.hpp"
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

  /// Seed and counter, [2].
  Tensor saved() const {
    return torch::tensor({static_cast<int64_t>(seed_), static_cast<int64_t>(drawn_)});
  }
  /// Error: not two whole numbers.
  void load(const Tensor& saved);

 private:
  uint64_t seed_;
  uint64_t drawn_ = 0;
  RowOrder own_;
};

inline void RowOrders::next(int64_t row, int64_t rows, std::vector<int64_t>& order) {
  if (own_) {
    order = own_(row, rows);
    std::vector<char> seen(static_cast<size_t>(rows), 0);
    for (int64_t j : order)
      if (j < 0 || j >= rows || seen[static_cast<size_t>(j)]++)
        throw Error("the order of row {} is no permutation of 0..{}", row, rows - 1);
    for (int64_t j = 0; j < rows; ++j)
      if (j != row && !seen[static_cast<size_t>(j)])
        throw Error("the order of row {} lacks row {}, expected all of 0..{} but its own", row, j,
                    rows - 1);
    return;
  }
  order.resize(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  for (size_t k = order.size(); k > 1; --k)  // Fisher and Yates
    std::swap(order[k - 1], order[mix_seed(seed_, drawn_++) % k]);
}

inline void RowOrders::load(const Tensor& saved) {
  if (saved.numel() != 2 || !at::isIntegralType(saved.scalar_type(), /*includeBool=*/false))
    throw Error("the state has \"draws\" of shape {}, expected a seed and a count",
                shape_text(saved));
  const Tensor draws = saved.cpu().to(torch::kLong).contiguous();
  seed_ = static_cast<uint64_t>(draws.data_ptr<int64_t>()[0]);
  drawn_ = static_cast<uint64_t>(draws.data_ptr<int64_t>()[1]);
}

}  // namespace mtl
