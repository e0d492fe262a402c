#pragma once

#include <algorithm>
#include <cstdint>

#include "mtl/task/entries.hpp"
#include "mtl/task/streaming_metric.hpp"

// Class scores [N, C], or [N, C, ...] with a class a pixel, against class indices [N], [N, ...] or
// [N, 1, ...]: what several metrics take.
namespace mtl::task_detail {

/// What counts: labelled samples or pixels of a weight above 0, on the CPU.
struct ClassScores {
  Tensor scores;   // [M, C] double
  Tensor truth;    // [M] torch::kLong
  Tensor weights;  // [M] double

  int64_t samples() const { return scores.size(0); }
  int64_t classes() const { return scores.size(1); }
  const double* row(int64_t sample) const { return scores.data_ptr<double>() + sample * classes(); }
  int64_t label(int64_t sample) const { return truth.data_ptr<int64_t>()[sample]; }
  double weight(int64_t sample) const { return weights.data_ptr<double>()[sample]; }
  bool has_nan() const { return scores.isnan().any().item<bool>(); }
  /// The first of the largest scores; LibTorch leaves open which of equal ones it takes.
  int64_t decision(int64_t sample) const {
    return std::max_element(row(sample), row(sample) + classes()) - row(sample);
  }
};

/// [N, ...]: the first class of the largest score, of scores [N, C, ...] on the CPU.
inline Tensor first_largest(const Tensor& scores) {
  const Tensor rows = scores.to(torch::kDouble).movedim(1, -1).contiguous();
  auto sizes = rows.sizes().vec();
  const int64_t classes = sizes.back();
  sizes.pop_back();
  Tensor largest = torch::empty(sizes, torch::kLong);
  for (int64_t i = 0; i < largest.numel(); ++i) {
    const double* const row = rows.data_ptr<double>() + i * classes;
    largest.data_ptr<int64_t>()[i] = std::max_element(row, row + classes) - row;
  }
  return largest;
}

inline bool are_class_scores(const Tensor& predictions, const Tensor& targets) {
  if (predictions.dim() < 2 || predictions.size(1) < 2 || !predictions.is_floating_point())
    return false;
  const bool one_channel = targets.dim() == predictions.dim() && targets.size(1) == 1;
  if (!one_channel && targets.dim() != predictions.dim() - 1) return false;
  for (int64_t d = 0; d < predictions.dim(); ++d)
    if (d != 1 && predictions.size(d) != targets.size(one_channel || d == 0 ? d : d - 1))
      return false;
  return true;
}

/// Error: shapes that are no class scores and classes. RowError: a class outside the scores'.
inline ClassScores class_scores_of(const Tensor& predictions, const Tensor& targets,
                                   const Tensor& sample_weights) {
  if (!are_class_scores(predictions, targets))
    throw Error(
        "predictions {} and targets {}, expected class scores [N, C, ...] and class "
        "indices [N, ...]",
        shape_text(predictions), shape_text(targets));
  const Tensor counts = entries_that_count(targets, sample_weights);
  const Tensor truth = class_indices(targets, counts);
  check_classes(truth, predictions.size(1));
  const Tensor rows = counts.flatten().nonzero().squeeze(1);
  const Tensor scores = predictions.detach()
                            .to(torch::kCPU, torch::kDouble)
                            .movedim(1, -1)
                            .reshape({-1, predictions.size(1)});
  return {scores.index_select(0, rows).contiguous(), truth.flatten().index_select(0, rows),
          weights_of_entries(targets, sample_weights).flatten().index_select(0, rows)};
}

}  // namespace mtl::task_detail
