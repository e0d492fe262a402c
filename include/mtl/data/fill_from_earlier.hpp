#pragma once

#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// Each missing value (NaN) of `rows` [N, ...] replaced by the last value before it in its column:
/// by what was known at the time. Values missing from the first row on stay missing.
/// Error: `rows` are no real numbers, or a single number.
inline Tensor fill_from_earlier(const Tensor& rows) {
  if (!rows.defined() || !rows.is_floating_point() || rows.dim() == 0)
    throw Error(
        "fill_from_earlier: rows of real numbers [N, ...] are needed, where NaN is a missing "
        "value");
  if (rows.size(0) == 0) return rows;
  // For each cell the last row so far that has a value; -1 before the first.
  std::vector<int64_t> shape(static_cast<size_t>(rows.dim()), 1);
  shape[0] = rows.size(0);
  const Tensor numbers =
      torch::arange(rows.size(0), torch::dtype(torch::kInt64).device(rows.device())).view(shape);
  const Tensor known = torch::where(rows.isnan(), torch::full_like(numbers, -1), numbers);
  const Tensor last = std::get<0>(known.cummax(0));
  return rows.gather(0, last.clamp_min(0));  // row 0 itself is missing where there is none
}

}  // namespace mtl
