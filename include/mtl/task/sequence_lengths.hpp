#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "mtl/task/labels.hpp"

namespace mtl {

namespace task_detail {

/// Which steps lie at or behind the length of their sequence: [N, steps] bool, beside `lengths`
/// [N], whole numbers 0..steps. RowError, Error: they are not; `what` has the steps.
inline Tensor steps_behind(const Tensor& lengths, int64_t steps, std::string_view what) {
  const Tensor wrong = lengths.lt(0).logical_or(lengths.gt(steps));
  if (wrong.any().item<bool>()) {
    const auto row = wrong.nonzero()[0].item<int64_t>();
    throw RowError(row, "the length of ",
                   " is " + std::to_string(lengths[row].item<int64_t>()) + ", but the " +
                       std::string(what) + " has " + std::to_string(steps) + " steps");
  }
  // Not in the lengths' type, which may be too short to count the steps.
  return torch::arange(steps, lengths.options().dtype(torch::kLong))
      .unsqueeze(0)
      .ge(lengths.unsqueeze(1));
}

inline bool are_lengths_of(const Tensor& lengths, const Tensor& sequences) {
  return lengths.dim() == 1 && lengths.size(0) == sequences.size(0) && !lengths.is_floating_point();
}

/// Which steps of CTC logits [N, S, C] `blank_behind` wrote: [N, S] bool.
inline Tensor blank_steps(const Tensor& logits) {
  const int64_t others = logits.size(2) - 1;
  constexpr double impossible = -std::numeric_limits<double>::infinity();
  return logits.detach().eq(impossible).sum(2).eq(others > 0 ? others : 1);
}

}  // namespace task_detail

/// The target [N, L, ...] with every step at or behind the length of its sequence missing: -100, or
/// NaN in a real one. `lengths` [N], whole numbers 0..L. Losses, metrics and class_counts then
/// leave the filling out: CrossEntropy of logits [N, C, L] is the mean over all tokens.
/// RowError: a length outside 0..L. Error: other shapes, a type without a missing label.
inline Tensor with_lengths(const Tensor& target, const Tensor& lengths) {
  if (target.dim() < 2 || !task_detail::are_lengths_of(lengths, target))
    throw Error(
        "the target has shape {}, the lengths {} of type {}; expected [N, L, ...] and [N] "
        "whole numbers",
        shape_text(target), shape_text(lengths), toString(lengths.scalar_type()));
  if (!target.is_floating_point() && !c10::isSignedType(target.scalar_type()))
    throw Error("the target has type {}, which knows no missing label; give it as int64",
                toString(target.scalar_type()));
  Tensor behind = task_detail::steps_behind(lengths, target.size(1), "target").to(target.device());
  while (behind.dim() < target.dim()) behind = behind.unsqueeze(-1);
  if (target.is_floating_point())
    return target.masked_fill(behind, std::numeric_limits<double>::quiet_NaN());
  return target.masked_fill(behind, missing_class);
}

/// CTC logits [N, S, C] that say nothing but the blank at and behind the length of their sequence:
/// 0 for the blank, -infinity for the other classes. `lengths` [N], whole numbers 0..S, in steps of
/// the logits. The likelihood of labels over all S steps is then that over the steps that are
/// there: Ctc looks at no others, no gradient comes from them, and what is read out of the logits
/// ends where the sequence does.
/// RowError: a length outside 0..S. Error: other shapes, a blank that is no class.
inline Tensor blank_behind(const Tensor& logits, const Tensor& lengths, int64_t blank = 0) {
  if (logits.dim() != 3 || !logits.is_floating_point() ||
      !task_detail::are_lengths_of(lengths, logits))
    throw Error(
        "the logits have shape {} and type {}, the lengths {} and {}; expected [N, steps, C] "
        "real and [N] whole numbers",
        shape_text(logits), toString(logits.scalar_type()), shape_text(lengths),
        toString(lengths.scalar_type()));
  if (blank < 0 || blank >= logits.size(2))
    throw Error("the blank is class {}, but the logits have {} classes", blank, logits.size(2));
  const Tensor behind =
      task_detail::steps_behind(lengths, logits.size(1), "prediction").to(logits.device());
  Tensor sure = torch::full({logits.size(2)}, -std::numeric_limits<double>::infinity(),
                            logits.options().requires_grad(false));
  sure.narrow(0, blank, 1).zero_();
  return torch::where(behind.unsqueeze(2), sure, logits);
}

}  // namespace mtl
