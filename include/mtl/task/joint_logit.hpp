#pragma once

#include <ATen/ops/logsumexp.h>
#include <ATen/ops/stack.h>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// The logit of "both", where one is answered by a logit and the other, given the first, by
/// another:
///     sigmoid(joint) = sigmoid(a) sigmoid(b),   joint = -log(e^-a + e^-b + e^-(a + b))
/// as of clicks and purchases after clicks. A loss and metrics of logits then see the product of
/// the probabilities, without a logarithm of 0. Of three: joint_logit(joint_logit(a, b), c).
/// Error: the two differ in shape.
inline Tensor joint_logit(const Tensor& a, const Tensor& b) {
  if (a.sizes() != b.sizes())
    throw Error("joint_logit: the logits have shapes {} and {}, expected one", shape_text(a),
                shape_text(b));
  return -at::stack({-a, -b, -(a + b)}).logsumexp(0);
}

}  // namespace mtl
