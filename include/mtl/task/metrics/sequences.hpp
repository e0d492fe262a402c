#pragma once

#include <cstdint>
#include <vector>

#include "mtl/core/edit_distance.hpp"
#include "mtl/task/metrics/class_scores.hpp"

// Sequences of class indices, filled up with -100: what metrics of texts and tags take.
namespace mtl::task_detail {

using Sequence = std::vector<int64_t>;

/// A row [L] of class indices without its -100.
inline Sequence sequence_of(const Tensor& row) {
  const Tensor host = row.to(torch::kCPU, torch::kLong).contiguous();
  Sequence sequence;
  for (int64_t i = 0; i < host.numel(); ++i)
    if (host.data_ptr<int64_t>()[i] != missing_class)
      sequence.push_back(host.data_ptr<int64_t>()[i]);
  return sequence;
}

/// What a row of CTC logits [S, C] says: the largest of each step, repetitions as one, without the
/// blank.
inline Sequence read_out(const Tensor& logits, int64_t blank) {
  const Tensor largest = first_largest(logits.to(torch::kCPU));
  Sequence sequence;
  int64_t before = blank;
  for (int64_t step = 0; step < largest.size(0); ++step) {
    const int64_t label = largest.data_ptr<int64_t>()[step];
    if (label != blank && label != before) sequence.push_back(label);
    before = label;
  }
  return sequence;
}

/// Adds the edits that make the truth of what was predicted, and the length of the truth, counted
/// in the symbols `units(sequence)`. Predictions: CTC logits [N, S, C], or class indices [N, S]
/// filled up with -100; targets [N, L] class indices filled up with -100.
/// Error: other shapes or types; `metric` is whose they are.
template <class Units>
void add_edits(WeightedMean& mean, const char* metric, const Tensor& predictions,
               const Tensor& targets, const Tensor& sample_weights, int64_t blank, Units units) {
  const bool logits = predictions.dim() == 3 && predictions.is_floating_point();
  const bool indices = predictions.dim() == 2 && !predictions.is_floating_point();
  if (!(logits || indices) || targets.dim() != 2 || targets.is_floating_point() ||
      predictions.size(0) != targets.size(0))
    throw Error(
        "{}: predictions {} of type {} and targets {} of type {}, expected logits [N, steps, C] or "
        "class indices [N, steps], and class indices [N, L] filled up with -100",
        metric, shape_text(predictions), toString(predictions.scalar_type()), shape_text(targets),
        toString(targets.scalar_type()));
  if (logits && (blank < 0 || blank >= predictions.size(2)))
    throw Error("{}: the blank is class {}, but the head has {} outputs", metric, blank,
                predictions.size(2));
  const Tensor counts = entries_that_count(targets, sample_weights).any(1).contiguous();
  for (int64_t n = 0; n < targets.size(0); ++n) {
    if (!counts.data_ptr<bool>()[n]) continue;
    const double weight = sample_weights.defined() ? sample_weights[n].item<double>() : 1;
    const Tensor row = predictions[n].detach();
    const auto truth = units(sequence_of(targets[n]));
    const auto found = units(logits ? read_out(row, blank) : sequence_of(row));
    const bool has_nan = logits && row.isnan().any().item<bool>();
    const double edits = has_nan ? no_value : static_cast<double>(edit_distance(found, truth));
    mean.add(weight * edits, weight * static_cast<double>(truth.size()));
  }
}

}  // namespace mtl::task_detail
