#pragma once

#include <cmath>

#include "mtl/task/entries.hpp"

namespace mtl {

/// How often each class occurs in a target [N, ...] of class indices, [classes] torch::kLong; with
/// sample weights [N] the sum of the weights of its samples, [classes] torch::kDouble. Missing
/// labels (-100) do not count. Count on the training part only.
/// Error: a class outside [0, classes), sample weights that are none.
inline Tensor class_counts(const Tensor& target, int64_t classes,
                           const Tensor& sample_weights = Tensor()) {
  const Tensor counts = task_detail::entries_that_count(target, sample_weights);
  const Tensor labels = task_detail::class_indices(target, counts);
  check_classes(labels, classes);
  Tensor weights;
  if (sample_weights.defined())
    weights = task_detail::weights_of_entries(target, sample_weights).masked_select(counts);
  return torch::bincount(labels.masked_select(counts), weights, classes);
}

namespace task_detail {

/// In double precision. Error: no counts of classes.
inline Tensor checked_counts(const Tensor& counts) {
  const Tensor n = counts.to(torch::kDouble);
  if (n.dim() != 1 || n.size(0) == 0 || !n.ge(0).logical_and(n.isfinite()).all().item<bool>() ||
      n.sum().item<double>() == 0)
    throw Error(
        "class weights need a row of finite, non-negative class counts, at least one of them "
        "positive, found {}",
        shape_text(counts));
  return n;
}

inline Tensor scaled_to_sum_of_classes(const Tensor& weights, const Tensor& counts) {
  const Tensor occurring = weights.masked_fill(counts.eq(0), 0);
  return occurring * (static_cast<double>(counts.size(0)) / occurring.sum());
}

}  // namespace task_detail

// Class weights from class counts [C], as [C] in double precision: what CrossEntropy and Focal
// take. A class that does not occur has weight 0. Error: negative counts, or no class occurs.

/// `1 / (n + 1e-6)`, scaled to sum C: every class counts the same in the sum over the data.
inline Tensor inverse_frequency(const Tensor& counts) {
  const Tensor n = task_detail::checked_counts(counts);
  return task_detail::scaled_to_sum_of_classes(1 / (n + 1e-6), n);
}

/// `N / (C n)`, where C is the number of classes that occur: as inverse_frequency, but scaled so
/// that the average weight of a sample is 1 (scikit-learn's "balanced").
inline Tensor balanced(const Tensor& counts) {
  const Tensor n = task_detail::checked_counts(counts);
  const auto occurring = static_cast<double>(n.count_nonzero().item<int64_t>());
  return (n.sum() / (occurring * n)).masked_fill(n.eq(0), 0);
}

/// `(1 - beta) / (1 - beta^n)`, scaled to sum C: between no weights (beta = 0) and the inverse
/// frequency (beta -> 1). Cui et al., CVPR 2019 (arXiv 1901.05555); they use .9 to .9999.
/// Error: beta outside [0, 1).
inline Tensor effective_number(const Tensor& counts, double beta = 0.999) {
  if (!(beta >= 0 && beta < 1))
    throw Error("effective_number: beta is {}, expected a number in [0, 1)", beta);
  const Tensor n = task_detail::checked_counts(counts);
  // 1 - beta^n by expm1: beta^n rounds to 1 for a beta near 1.
  return task_detail::scaled_to_sum_of_classes((1 - beta) / -(n * std::log(beta)).expm1(), n);
}

}  // namespace mtl
