#pragma once

#include <concepts>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/core/batch.hpp"
#include "mtl/core/error.hpp"
#include "mtl/data/padding.hpp"

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
inline bool is_complete(const Tensor& target) {
  return labelled_entries(target).all().item<bool>();
}

namespace data_detail {

inline NamedTensors gathered(const NamedTensors& tensors, const Tensor& indices) {
  NamedTensors result;
  for (const auto& item : tensors) result.insert(item.key(), item.value().index_select(0, indices));
  return result;
}

inline Tensor gathered(const Tensor& weights, const Tensor& indices) {
  return weights.defined() ? weights.index_select(0, indices) : Tensor();
}

inline Tensor joined(const Tensor& first, const Tensor& second) {
  if (first.defined() != second.defined() ||
      (first.defined() && first.sizes().slice(1) != second.sizes().slice(1)))
    throw Error("TensorDataset: rows of shapes {} and {} cannot be joined", shape_text(first),
                shape_text(second));
  return first.defined() ? torch::cat({first, second}) : Tensor();
}

inline NamedTensors joined(const NamedTensors& first, const NamedTensors& second,
                           bool targets = false) {
  if (first.size() != second.size())
    throw Error("TensorDataset: {} and {} tensors cannot be joined", first.size(), second.size());
  NamedTensors result;
  for (const auto& item : first) {
    const Tensor* more = second.find(item.key());
    if (more == nullptr)
      throw Error("TensorDataset: the dataset to be joined has no \"{}\"", item.key());
    const auto parts = targets ? with_common_type({item.value(), *more})  // -100 becomes NaN
                               : std::vector<Tensor>{item.value(), *more};
    result.insert(item.key(), joined(parts[0], parts[1]));
  }
  return result;
}

inline NamedTensors moved(const NamedTensors& tensors, const torch::Device& device) {
  NamedTensors result;
  for (const auto& item : tensors) result.insert(item.key(), item.value().to(device));
  return result;
}

inline int64_t bytes_of_row(const Tensor& tensor) {
  if (!tensor.defined()) return 0;
  return tensor.numel() / tensor.size(0) * static_cast<int64_t>(tensor.element_size());
}

inline int64_t bytes_of_row(const NamedTensors& tensors) {
  int64_t bytes = 0;
  for (const auto& item : tensors) bytes += bytes_of_row(item.value());
  return bytes;
}

/// Indices that name a part of `size` rows: int64 [n], n >= 1, each below `size`.
inline void check_indices(const Tensor& indices, int64_t size, std::string_view who) {
  if (!indices.defined() || indices.dim() != 1 || indices.scalar_type() != torch::kInt64)
    throw Error("{}: a part is named by indices [n] of kind int64, found {}", who,
                indices.defined()
                    ? shape_text(indices) + " of " + c10::toString(indices.scalar_type())
                    : "no tensor");
  if (indices.size(0) == 0) throw Error("{}: a part without a row was asked for", who);
  const auto low = indices.min().item<int64_t>(), high = indices.max().item<int64_t>();
  if (low < 0 || high >= size)
    throw Error("{}: there is no row {} of {}", who, low < 0 ? low : high, size);
}

}  // namespace data_detail

/// Whole tensors by name, row i of each belonging to sample i.
///
///     mtl::TensorDataset data({{"input", x}}, {{"temperature", t}, {"weather", w}});
///
/// Sample weights [N] for all tasks, or by the name of a task, go with the rows: see Batch.
/// The tensors are shared, not copied, and looked through once for missing labels: do not write to
/// them afterwards.
class TensorDataset {
 public:
  /// Error: there is no input, the tensors have no rows or not all the same number, one requires a
  /// gradient, sample weights that are negative or not finite.
  explicit TensorDataset(NamedTensors inputs, NamedTensors targets = NamedTensors(),
                         Tensor sample_weights = Tensor(),
                         NamedTensors task_sample_weights = NamedTensors())
      : inputs_(std::move(inputs)),
        targets_(std::move(targets)),
        sample_weights_(std::move(sample_weights)),
        task_sample_weights_(std::move(task_sample_weights)) {
    if (inputs_.is_empty()) throw Error("TensorDataset: there is no input tensor");
    check("input", inputs_);
    check("target", targets_);
    if (size_ == 0) throw Error("TensorDataset: the tensors have no rows");
    check_sample_weights(sample_weights_, task_sample_weights_, size_);
    complete_ = true;
    for (const auto& item : targets_) complete_ = complete_ && is_complete(item.value());
  }

  int64_t size() const { return size_; }
  const NamedTensors& inputs() const { return inputs_; }
  const NamedTensors& targets() const { return targets_; }
  const Tensor& sample_weights() const { return sample_weights_; }  ///< undefined: all one
  const NamedTensors& task_sample_weights() const { return task_sample_weights_; }
  /// Whether no target has a missing label anywhere.
  bool complete() const { return complete_; }

  /// The rows named by `indices` [n], copied.
  Batch get(const Tensor& indices) const {
    const Tensor here = indices.to(inputs_.begin()->value().device());
    using data_detail::gathered;
    return {gathered(inputs_, here), gathered(targets_, here), complete_,
            gathered(sample_weights_, here), gathered(task_sample_weights_, here)};
  }

  int64_t row_bytes() const {
    using data_detail::bytes_of_row;
    return bytes_of_row(inputs_) + bytes_of_row(targets_) + bytes_of_row(sample_weights_) +
           bytes_of_row(task_sample_weights_);
  }

  /// The rows named by `indices` [n] as a dataset of its own, such as one part of a split.
  /// Error: there is no such row, or none is named.
  TensorDataset rows(const Tensor& indices) const {
    data_detail::check_indices(indices, size_, "TensorDataset");
    Batch part = get(indices);
    return TensorDataset(std::move(part.inputs), std::move(part.targets),
                         std::move(part.sample_weights), std::move(part.task_sample_weights));
  }

  /// These rows, then those of `other`: to learn from training and validation part in the end.
  /// Error: other names, or shapes that do not fit.
  TensorDataset joined(const TensorDataset& other) const {
    using data_detail::joined;
    return TensorDataset(joined(inputs_, other.inputs_),
                         joined(targets_, other.targets_, /*targets=*/true),
                         joined(sample_weights_, other.sample_weights_),
                         joined(task_sample_weights_, other.task_sample_weights_));
  }

  TensorDataset to(const torch::Device& device) const {
    using data_detail::moved;
    return TensorDataset(moved(inputs_, device), moved(targets_, device),
                         sample_weights_.defined() ? sample_weights_.to(device) : Tensor(),
                         moved(task_sample_weights_, device));
  }

 private:
  void check(std::string_view kind, const NamedTensors& tensors) {
    for (const auto& item : tensors) {
      const Tensor& tensor = item.value();
      if (!tensor.defined() || tensor.dim() == 0)
        throw Error("TensorDataset: {} \"{}\" {}; its first dimension must count the samples", kind,
                    item.key(), tensor.defined() ? "is a single number" : "is undefined");
      if (tensor.requires_grad())
        throw Error(
            "TensorDataset: {} \"{}\" requires a gradient, as what a network computes without a "
            "NoGradGuard; data is not trained: give its detach()",
            kind, item.key());
      if (&item == &*inputs_.begin()) size_ = tensor.size(0);
      if (tensor.size(0) != size_)
        throw Error("TensorDataset: {} \"{}\" has {} rows, but input \"{}\" has {}", kind,
                    item.key(), tensor.size(0), inputs_.begin()->key(), size_);
    }
  }

  NamedTensors inputs_, targets_;
  Tensor sample_weights_;
  NamedTensors task_sample_weights_;
  int64_t size_ = 0;
  bool complete_ = false;
};

}  // namespace mtl
