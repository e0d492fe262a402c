#include "mtl/task/class_weights.hpp"

#include <algorithm>
#include <cmath>

#include "mtl/core/error.hpp"
#include "mtl/task/labels.hpp"
#include "rows.hpp"

namespace mtl {
namespace {

Tensor checked_counts(const Tensor& counts) {
  Tensor n = counts.to(torch::kDouble);
  if (n.dim() != 1 || n.size(0) == 0 || !n.ge(0).all().item<bool>() ||
      n.sum().item<double>() == 0) {
    throw Error(
        "class weights need a row of non-negative class counts, at least one of them positive");
  }
  return n;
}

Tensor scaled_to_sum_of_classes(const Tensor& weights, const Tensor& counts) {
  const Tensor occurring = weights.masked_fill(counts.eq(0), 0);
  return occurring * (static_cast<double>(counts.size(0)) / occurring.sum());
}

}  // namespace

Tensor class_counts(const Tensor& target, int64_t classes, const Tensor& sample_weights) {
  const auto rows = task_detail::rows_that_count(target, target, sample_weights, {});
  try {
    check_classes(rows.targets, classes);
  } catch (const RowError& error) {
    throw error.in_whole(rows.numbers);
  }
  const Tensor labels = rows.targets.flatten();
  const Tensor labelled = labels.ne(missing_class);
  Tensor weights;
  if (rows.weights.defined())
    weights = rows.weights.to(torch::kDouble)
                  .repeat_interleave(labels.size(0) / std::max<int64_t>(rows.weights.size(0), 1))
                  .masked_select(labelled);
  return torch::bincount(labels.masked_select(labelled), weights, classes);
}

Tensor inverse_frequency(const Tensor& counts) {
  const Tensor n = checked_counts(counts);
  return scaled_to_sum_of_classes(1 / (n + 1e-6), n);
}

Tensor balanced(const Tensor& counts) {
  const Tensor n = checked_counts(counts);
  const auto occurring = static_cast<double>(n.count_nonzero().item<int64_t>());
  return (n.sum() / (occurring * n)).masked_fill(n.eq(0), 0);
}

Tensor effective_number(const Tensor& counts, double beta) {
  if (!(beta >= 0 && beta < 1)) {
    throw Error("effective_number: beta is {}, expected a number in [0, 1)", beta);
  }
  const Tensor n = checked_counts(counts);
  // 1 - beta^n by expm1: beta^n rounds to 1 for a beta near 1.
  return scaled_to_sum_of_classes((1 - beta) / -(n * std::log(beta)).expm1(), n);
}

}  // namespace mtl
