#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "mtl/task/labels.hpp"

// What metrics and class counts share: which entries of a target count, and for how much.
namespace mtl::task_detail {

/// A metric of no samples, or of none of a kind that it needs.
inline constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

/// The State of metrics that are a weighted mean: NaN of no rows.
struct WeightedMean {
  double sum = 0, weight = 0;

  void add(double weighted, double its_weight) {
    sum += weighted;
    weight += its_weight;
  }
  void merge(const WeightedMean& other) { add(other.sum, other.weight); }
  double value() const { return weight == 0 ? no_value : sum / weight; }
};

/// The power of two that brings the sum of some weights into [1, 2). Where weights are multiplied
/// by weights they are multiplied by it first: it changes no bit, and no product of very small or
/// large ones leaves a double's range.
inline double near_one(double sum) {
  constexpr int most = 1000;
  if (!(sum > 0 && std::isfinite(sum))) return 1;
  return std::ldexp(1.0, std::clamp(-std::ilogb(sum), -most, most));
}

/// [N] as [N, 1, ..., 1], to meet `dims` dimensions.
inline Tensor along_rows(const Tensor& by_row, int64_t dims) {
  std::vector<int64_t> sizes(static_cast<size_t>(dims), 1);
  sizes.front() = by_row.size(0);
  return by_row.view(sizes);
}

/// The entries of targets [N, ...] that are labelled and in a row of a weight above 0: bool in the
/// targets' shape, on the CPU. Error: sample weights that are none.
inline Tensor entries_that_count(const Tensor& targets, const Tensor& sample_weights) {
  if (targets.dim() == 0)
    throw Error("a target needs a first dimension that counts the samples, found a scalar");
  const Tensor labelled = labelled_entries(targets).to(torch::kCPU);
  if (!sample_weights.defined()) return labelled;
  check_sample_weights(sample_weights, targets.size(0));
  return labelled.logical_and(along_rows(sample_weights.to(torch::kCPU).gt(0), targets.dim()));
}

/// The weight of each entry of targets [N, ...]: double in their shape, on the CPU.
inline Tensor weights_of_entries(const Tensor& targets, const Tensor& sample_weights) {
  if (!sample_weights.defined()) return torch::ones(targets.sizes(), torch::kDouble);
  return along_rows(sample_weights.to(torch::kCPU, torch::kDouble), targets.dim())
      .expand(targets.sizes());
}

/// Class indices on the CPU, as torch::kLong with -100 where none counts. They may come in a real
/// type, as the columns of a table do. RowError: a number that is no class index.
inline Tensor class_indices(const Tensor& targets, const Tensor& counts) {
  const Tensor host = targets.is_floating_point() ? targets.to(torch::kCPU, torch::kDouble)
                                                  : targets.to(torch::kCPU);
  if (host.is_floating_point() || host.scalar_type() == torch::kLong) {
    const Tensor parts =
        host.is_floating_point() ? host.ne(host.floor()) : torch::zeros_like(counts);
    const Tensor wrong = parts.logical_or(host.abs().gt(1e9)).logical_and(counts);
    if (wrong.any().item<bool>())
      throw RowError(
          wrong.nonzero()[0][0].item<int64_t>(),
          "the target has " + std::to_string(host.masked_select(wrong)[0].item<double>()) + " in ",
          ", which is no class index");
  }
  const Tensor missing = counts.logical_not();
  return host.masked_fill(missing, 0).to(torch::kLong).masked_fill(missing, missing_class);
}

}  // namespace mtl::task_detail
