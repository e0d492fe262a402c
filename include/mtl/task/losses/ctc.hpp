#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "mtl/task/sequence_lengths.hpp"

namespace mtl {

/// Connectionist temporal classification: the likelihood of a label sequence over all its
/// alignments with the time steps. Graves et al., ICML 2006.
///
/// Prediction [N, S, C]: logits by time step. Target [N, L]: classes (torch::kLong) other than the
/// blank, filled up with -100; a row of -100 only is a missing label. A sample's value is its
/// negative log-likelihood by label, as in LibTorch's mean. All S steps count, but for those that
/// `blank_behind` wrote: so a batch of sequences of different lengths gives each its own. The
/// lengths are read back from the device.
struct Ctc {
  int64_t blank = 0;           ///< the class that means "no label here"
  bool zero_infinity = false;  ///< a label sequence too long for its S steps costs nothing; when
                               ///< false it is an Error (on CPU) or an infinite loss

  static constexpr LossKind kind = LossKind::classification;
  static constexpr int64_t class_dimension = 2;

  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    if (prediction.dim() != 3 || target.dim() != 2 || prediction.size(0) != target.size(0))
      throw Error(
          "the prediction has shape {}, its target {}; Ctc expects logits [N, steps, C] "
          "and labels [N, L] filled up with -100",
          shape_text(prediction), shape_text(target));
    const int64_t classes = prediction.size(2);
    if (blank < 0 || blank >= classes)
      throw Error("Ctc: the blank is class {}, but the head has {} outputs", blank, classes);
    check_classes(target, classes);
    const Tensor behind = task_detail::blank_steps(prediction);
    const Tensor numbers =
        torch::arange(1, prediction.size(1) + 1, behind.options().dtype(torch::kLong));
    const Tensor steps = numbers.masked_fill(behind, 0).amax(1).to(torch::kCPU);
    if (target.device().is_cpu()) check_sequences(target.contiguous(), steps);
    const Tensor lengths = target.ne(missing_class).sum(1);
    const Tensor missing = lengths.eq(0), without_steps = steps.eq(0).to(target.device());
    const Tensor log_probability =
        prediction.masked_fill(missing.unsqueeze(1).logical_or(behind).unsqueeze(2), 0)
            .log_softmax(2)
            .transpose(0, 1);
    // LibTorch walks over the lengths on the host.
    Tensor losses = torch::ctc_loss(
        log_probability, target.masked_fill(target.eq(missing_class), blank), steps.clamp_min(1),
        lengths.to(torch::kCPU), blank, at::Reduction::None, zero_infinity);
    losses = losses.masked_fill(without_steps,
                                zero_infinity ? 0 : std::numeric_limits<double>::infinity());
    return {losses.masked_fill(missing, 0) / lengths.clamp_min(1),
            missing.logical_not().to(losses.scalar_type())};
  }

 private:
  /// `steps_of` [N]: those that each row of the prediction has.
  void check_sequences(const Tensor& target, const Tensor& steps_of) const {
    for (int64_t row = 0; row < target.size(0); ++row) {
      const int64_t steps = steps_of.data_ptr<int64_t>()[row];
      const int64_t* const labels = target.data_ptr<int64_t>() + row * target.size(1);
      int64_t length = 0;
      while (length < target.size(1) && labels[length] != missing_class) ++length;
      for (int64_t i = length; i < target.size(1); ++i)
        if (labels[i] != missing_class)
          throw RowError(row,
                         "the target has label " + std::to_string(labels[i]) +
                             " behind the end (-100) of the sequence in ",
                         "");
      int64_t needed = length;  // one step a label, and a blank between equal neighbours
      for (int64_t i = 0; i < length; ++i) {
        if (labels[i] == blank)
          throw RowError(
              row, "the target has the blank (" + std::to_string(blank) + ") as a label in ", "");
        needed += i > 0 && labels[i] == labels[i - 1] ? 1 : 0;
      }
      if (needed > steps && !zero_infinity)
        throw RowError(row, "the label sequence in ",
                       " needs " + std::to_string(needed) + " steps, but the prediction has " +
                           std::to_string(steps) +
                           ". Give the head more steps, or set zero_infinity to leave such "
                           "samples out");
    }
  }
};

}  // namespace mtl
