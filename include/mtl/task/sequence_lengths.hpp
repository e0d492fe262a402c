#pragma once

#include <limits>

#include "mtl/task/labels.hpp"

namespace mtl {

/// The target [N, L, ...] with every step at or behind the length of its sequence missing: -100, or
/// NaN in a real one. `lengths` [N], whole numbers 0..L. Losses, metrics and class_counts then
/// leave the filling out: CrossEntropy of logits [N, C, L] is the mean over all tokens.
/// RowError: a length outside 0..L. Error: other shapes, a type without a missing label.
inline Tensor with_lengths(const Tensor& target, const Tensor& lengths) {
  if (target.dim() < 2 || lengths.dim() != 1 || lengths.size(0) != target.size(0) ||
      lengths.is_floating_point())
    throw Error(
        "the target has shape {}, the lengths {} of type {}; expected [N, L, ...] and [N] "
        "whole numbers",
        shape_text(target), shape_text(lengths), toString(lengths.scalar_type()));
  if (!target.is_floating_point() && !c10::isSignedType(target.scalar_type()))
    throw Error("the target has type {}, which knows no missing label; give it as int64",
                toString(target.scalar_type()));
  const int64_t steps = target.size(1);
  const Tensor wrong = lengths.lt(0).logical_or(lengths.gt(steps));
  if (wrong.any().item<bool>()) {
    const auto row = wrong.nonzero()[0].item<int64_t>();
    throw RowError(row, "the length of ",
                   " is " + std::to_string(lengths[row].item<int64_t>()) + ", but the target has " +
                       std::to_string(steps) + " steps");
  }
  Tensor behind = torch::arange(steps, lengths.options()).unsqueeze(0).ge(lengths.unsqueeze(1));
  behind = behind.to(target.device());
  while (behind.dim() < target.dim()) behind = behind.unsqueeze(-1);
  if (target.is_floating_point())
    return target.masked_fill(behind, std::numeric_limits<double>::quiet_NaN());
  return target.masked_fill(behind, missing_class);
}

}  // namespace mtl
