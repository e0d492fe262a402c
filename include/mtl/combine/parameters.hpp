#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// Whose gradients a combiner fills: what the tasks share, and what each of them has to itself.
///
///     combiner.backward(mtl::task_losses({l1, l2}),
///                       {.shared = encoder->parameters(),
///                        .by_task = {head1->parameters(), head2->parameters()}});
///
/// Lists may hold doubles, tensors that require no gradient and tensors that no loss reaches: each
/// tensor gets its gradient once, the others none, as backward() would have it.
struct Parameters {
  /// The parameters on which the task gradients are compared.
  std::vector<Tensor> shared;
  /// What only one task trains, by task of the registry (absent ones included). A tensor in several
  /// lists gets the sum; one that is also in `shared` counts as shared. Left out: every other leaf
  /// that the losses reach.
  std::vector<std::vector<Tensor>> by_task = {};
  /// Shared tensors that belong together, for methods that compare layer by layer (GradVac). Left
  /// out: each tensor is a layer of its own.
  std::vector<std::vector<Tensor>> layers = {};
  /// What a forward pass changes besides (running statistics): methods that try other parameters
  /// put them back.
  std::vector<Tensor> buffers = {};
};

/// Error: an undefined tensor or one that is computed from others, or lists by task for another
/// number of tasks.
void check_parameters(const Parameters& parameters, int64_t task_count);

/// Of a list of parameters, which errors call `name`.
/// Error: an undefined tensor, or one that is computed from others.
void check_parameters(const std::vector<Tensor>& list, std::string_view name);

}  // namespace mtl
