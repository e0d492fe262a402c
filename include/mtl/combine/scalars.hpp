#pragma once

#include <vector>

#include "mtl/core/tensor.hpp"

// Losses are a handful of scalars. What torch does with them in general takes several operations
// and nodes of the graph, which a step of a small net feels; here it is one.
namespace mtl {

/// The number that a scalar holds, of whatever type; waits for its device.
double number_of(const Tensor& scalar);

/// What torch::stack gives of scalars, [n], with graph.
Tensor stacked(const std::vector<Tensor>& scalars);

/// The sum of scalars, [], with graph.
Tensor sum_of(const std::vector<Tensor>& scalars);

}  // namespace mtl
