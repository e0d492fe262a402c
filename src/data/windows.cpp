#include "mtl/data/windows.hpp"

#include "mtl/core/error.hpp"
#include "mtl/data/dataset.hpp"

namespace mtl {
namespace {

/// Starts of the windows of `span` rows in which each position is one more than the last.
Tensor starts_without_gap(const Tensor& positions, int64_t span) {
  const Tensor first = positions.narrow(0, 0, positions.size(0) - span + 1);
  const Tensor last = positions.narrow(0, span - 1, first.size(0));
  return torch::nonzero(last - first == span - 1).squeeze(1);
}

void check_positions(const Tensor& positions, int64_t rows) {
  if (positions.scalar_type() != torch::kInt64 || positions.dim() != 1 ||
      positions.size(0) != rows) {
    throw Error("WindowDataset: positions must be int64 [{}], one a row.", rows);
  }
  const Tensor wrong = torch::nonzero(positions.diff() <= 0);
  if (wrong.size(0) > 0) {
    const auto row = wrong[0].item<int64_t>();
    throw Error(
        "WindowDataset: positions must ascend, but row {} has {} after {}. Sort the rows "
        "and remove repeated ones.",
        row + 1, positions[row + 1].item<int64_t>(), positions[row].item<int64_t>());
  }
}

}  // namespace

WindowDataset::WindowDataset(NamedTensors inputs, NamedTensors targets, WindowOptions options,
                             const Tensor& positions, Tensor sample_weights,
                             NamedTensors task_sample_weights)
    : options_(options) {
  const TensorDataset checked(std::move(inputs), std::move(targets), std::move(sample_weights),
                              std::move(task_sample_weights));
  inputs_ = checked.inputs();
  targets_ = checked.targets();
  sample_weights_ = checked.sample_weights();
  task_sample_weights_ = checked.task_sample_weights();
  if (options_.length < 1 || options_.horizon < 0) {
    throw Error("WindowDataset: length is {} and horizon {}; they must be at least 1 and 0.",
                options_.length, options_.horizon);
  }
  const int64_t rows = checked.size();
  const int64_t span = options_.length + options_.horizon;
  if (positions.defined()) check_positions(positions, rows);
  if (rows >= span) {
    const torch::Device device = inputs_.begin()->value().device();
    starts_ = positions.defined()
                  ? starts_without_gap(positions.to(device), span)
                  : torch::arange(rows - span + 1, torch::dtype(torch::kInt64).device(device));
  }
  if (!starts_.defined() || starts_.size(0) == 0) {
    throw Error(
        "WindowDataset: a window of {} rows and a target {} rows on fit nowhere into {} "
        "rows{}.",
        options_.length, options_.horizon, rows,
        positions.defined() ? " with these gaps between them" : "");
  }
  look_for_missing_labels();
}

void WindowDataset::look_for_missing_labels() {
  complete_ = true;
  const Tensor rows = target_rows(starts_);
  for (const auto& item : targets_) {
    complete_ = complete_ && is_complete(item.value().index_select(0, rows));
  }
}

Batch WindowDataset::get(const Tensor& indices) const {
  const Tensor starts = starts_.index_select(0, indices.to(starts_.device()));
  const int64_t count = starts.size(0);
  // Rows of all windows one after the other: copying whole rows is faster than an unfolded view.
  const Tensor steps = torch::arange(options_.length, starts.options());
  const Tensor rows = (starts.unsqueeze(1) + steps).flatten();
  Batch batch;
  for (const auto& item : inputs_) {
    const Tensor gathered = item.value().index_select(0, rows);
    batch.inputs.insert(item.key(), gathered.unflatten(0, {count, options_.length}));
  }
  const Tensor later = target_rows(starts);
  for (const auto& item : targets_) {
    batch.targets.insert(item.key(), item.value().index_select(0, later));
  }
  if (sample_weights_.defined()) batch.sample_weights = sample_weights_.index_select(0, later);
  for (const auto& item : task_sample_weights_) {
    batch.task_sample_weights.insert(item.key(), item.value().index_select(0, later));
  }
  batch.complete = complete_;
  return batch;
}

int64_t WindowDataset::row_bytes() const {
  const auto row = [](const Tensor& tensor) {
    return tensor.numel() / tensor.size(0) * static_cast<int64_t>(tensor.element_size());
  };
  int64_t bytes = 0;
  for (const auto& item : inputs_) bytes += options_.length * row(item.value());
  for (const auto& item : targets_) bytes += row(item.value());
  if (sample_weights_.defined()) bytes += row(sample_weights_);
  for (const auto& item : task_sample_weights_) bytes += row(item.value());
  return bytes;
}

WindowDataset WindowDataset::windows(const Tensor& indices) const {
  if (indices.size(0) == 0) throw Error("WindowDataset: a part without a window was asked for.");
  WindowDataset part = *this;
  part.starts_ = starts_.index_select(0, indices.to(starts_.device()));
  part.look_for_missing_labels();
  return part;
}

}  // namespace mtl
