#pragma once

#include <functional>
#include <vector>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// The loss to minimise of a method that learns a number s_t a task, with its derivatives, at the
/// losses l [P] of a step.
struct LearnedLoss {
  Tensor value;      // scalar
  Tensor by_loss;    // d value / d l_t, [P]
  Tensor by_number;  // d value / d s_t, [P]
};

using LearnedFormula = std::function<LearnedLoss(const Tensor& l, const Tensor& s)>;

/// What `formula` makes of the losses and the numbers of a step, P scalars each: its value with
/// graph, which is one node. Autograd would have one for each operation of the formula, and on a
/// small net walking back through them costs as much as a layer. Second derivatives (create_graph)
/// are those of by_loss and by_number, which the formula is asked for again.
Tensor learned_loss(std::vector<Tensor> losses, std::vector<Tensor> numbers,
                    LearnedFormula formula);

}  // namespace mtl
