#pragma once

#include <concepts>
#include <string_view>

#include "mtl/core/batch.hpp"

namespace mtl {

/// Where a BatchLoader takes rows from: `get` gathers the rows that an int64 [n] tensor of indices
/// names, in that order, and may be called with any part of the rows at once.
/// A dataset of one's own needs these two and no base class. Where gathering is cheap and copies
/// `row_bytes()` bytes a row, say so with a third: a loader then gathers a small epoch in one go.
template <class D>
concept Dataset = requires(const D& dataset, const Tensor& indices) {
  { dataset.size() } -> std::convertible_to<int64_t>;
  { dataset.get(indices) } -> std::same_as<Batch>;
};

/// False when any label is missing (labelled_entries).
bool is_complete(const Tensor& target);

/// Whole tensors by name, row i of each belonging to sample i.
///
///     mtl::TensorDataset data({{"input", x}}, {{"temperature", t}, {"weather", w}});
///
/// Sample weights [N] for all tasks, or by the name of a task, go with the rows: see Batch.
/// The tensors are shared, not copied, and looked through once for missing labels: do not write to
/// them afterwards.
class TensorDataset {
 public:
  /// Throws Error unless there is an input and every tensor has the same, positive number of rows,
  /// and for sample weights that are negative or not finite.
  explicit TensorDataset(NamedTensors inputs, NamedTensors targets = NamedTensors(),
                         Tensor sample_weights = Tensor(),
                         NamedTensors task_sample_weights = NamedTensors());

  int64_t size() const { return size_; }
  const NamedTensors& inputs() const { return inputs_; }
  const NamedTensors& targets() const { return targets_; }
  const Tensor& sample_weights() const { return sample_weights_; }  ///< undefined: all one
  const NamedTensors& task_sample_weights() const { return task_sample_weights_; }
  /// Whether no target has a missing label anywhere.
  bool complete() const { return complete_; }

  /// The rows named by `indices` [n], copied.
  Batch get(const Tensor& indices) const;
  int64_t row_bytes() const;

  /// The rows named by `indices` [n] as a dataset of its own, such as one part of a split.
  TensorDataset rows(const Tensor& indices) const;
  TensorDataset to(const torch::Device& device) const;

 private:
  NamedTensors inputs_, targets_;
  Tensor sample_weights_;
  NamedTensors task_sample_weights_;
  int64_t size_ = 0;
  bool complete_ = false;
};

}  // namespace mtl
