#pragma once

#include <cstdint>
#include <vector>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// The cheapest way to give rows columns of their own: of `costs` [R, C], real and finite, the
/// column of each row, so that min(R, C) rows have one, none twice, and the sum of their costs is
/// the smallest there is. A row that goes without (R > C) has -1. Exact, in O(min^2 max) time:
/// shortest augmenting paths, Jonker and Volgenant, Computing 38 (1987). Where several ways cost
/// the same it is always the same one of them.
/// Error: no matrix; a cost that is NaN or infinite.
std::vector<int64_t> cheapest_assignment(const Tensor& costs);

}  // namespace mtl
