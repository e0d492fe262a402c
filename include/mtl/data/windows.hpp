#pragma once

#include <utility>

#include "mtl/data/dataset.hpp"

namespace mtl {

/// Sequence windows over rows in time order: `length` rows as inputs, one later row as target.
///
///     mtl::WindowDataset windows({{"input", rows}}, {{"temp", temp}}, {.length = 14});
///     // batches: input [n, 14, features], temp [n, ...]
///
/// Windows are gathered from the rows when asked for; what is kept is one number a window.
/// With `positions`, an ascending int64 [rows] such as day numbers, a window is made only where its
/// rows and its target follow each other without a gap. Sample weights, one a row, are those of the
/// windows whose target the row is.
class WindowDataset {
 public:
  struct Options {
    int64_t length = 14;  ///< rows in a window
    int64_t horizon = 1;  ///< the target is the row this far behind the window's last; 0: the last
  };

  /// Error: differing numbers of rows, positions that do not ascend, sample weights that are
  /// negative or not finite, not one window fits.
  WindowDataset(NamedTensors inputs, NamedTensors targets, Options options,
                const Tensor& positions = {}, Tensor sample_weights = {},
                NamedTensors task_sample_weights = NamedTensors())
      : rows_(std::move(inputs), std::move(targets), std::move(sample_weights),
              std::move(task_sample_weights)),
        options_(options) {
    if (options_.length < 1 || options_.horizon < 0)
      throw Error("WindowDataset: length is {} and horizon {}; they must be at least 1 and 0",
                  options_.length, options_.horizon);
    const int64_t rows = rows_.size();
    if (positions.defined()) check_positions(positions, rows);
    if (options_.horizon < rows && options_.length <= rows - options_.horizon) {
      const torch::Device device = rows_.inputs().begin()->value().device();
      const int64_t span = options_.length + options_.horizon;
      starts_ = positions.defined()
                    ? starts_without_gap(positions.to(device), span)
                    : torch::arange(rows - span + 1, torch::dtype(torch::kInt64).device(device));
    }
    if (!starts_.defined() || starts_.size(0) == 0)
      throw Error(
          "WindowDataset: a window of {} rows and a target {} rows on fit nowhere into {} rows{}",
          options_.length, options_.horizon, rows,
          positions.defined() ? " with these gaps between them" : "");
    look_for_missing_labels();
  }
  WindowDataset(NamedTensors inputs, NamedTensors targets)
      : WindowDataset(std::move(inputs), std::move(targets), Options()) {}

  int64_t size() const { return starts_.size(0); }
  /// First row of each window: int64 [size], ascending.
  const Tensor& starts() const { return starts_; }
  /// Whether no target of a window has a missing label.
  bool complete() const { return complete_; }

  /// The windows named by `indices` [n]: inputs [n, length, ...], targets [n, ...].
  Batch get(const Tensor& indices) const {
    const Tensor starts = starts_.index_select(0, indices.to(starts_.device()));
    const int64_t count = starts.size(0);
    // Rows of all windows one after the other: copying whole rows is faster than an unfolded view.
    const Tensor steps = torch::arange(options_.length, starts.options());
    const Tensor rows = (starts.unsqueeze(1) + steps).flatten();
    const Tensor later = target_rows(starts);
    using data_detail::gathered;
    Batch batch{gathered(rows_.inputs(), rows), gathered(rows_.targets(), later), complete_,
                gathered(rows_.sample_weights(), later),
                gathered(rows_.task_sample_weights(), later)};
    for (auto& item : batch.inputs)
      item.value() = item.value().unflatten(0, {count, options_.length});
    return batch;
  }

  int64_t row_bytes() const {
    return rows_.row_bytes() + (options_.length - 1) * data_detail::bytes_of_row(rows_.inputs());
  }

  /// The windows named by `indices` [n] as a dataset of its own; the rows are shared.
  /// Error: there is no such window, or none is named.
  WindowDataset windows(const Tensor& indices) const {
    data_detail::check_indices(indices, size(), "WindowDataset");
    WindowDataset part = *this;
    part.starts_ = starts_.index_select(0, indices.to(starts_.device()));
    part.look_for_missing_labels();
    return part;
  }

 private:
  static void check_positions(const Tensor& positions, int64_t rows) {
    if (positions.scalar_type() != torch::kInt64 || positions.dim() != 1 ||
        positions.size(0) != rows)
      throw Error("WindowDataset: positions must be int64 [{}], one a row", rows);
    const Tensor wrong = torch::nonzero(positions.slice(0, 1) <= positions.slice(0, 0, -1));
    if (wrong.size(0) > 0) {
      const auto row = wrong[0].item<int64_t>();
      throw Error(
          "WindowDataset: positions must ascend, but row {} has {} after {}. Sort the rows and "
          "remove repeated ones",
          row + 1, positions[row + 1].item<int64_t>(), positions[row].item<int64_t>());
    }
  }

  /// Starts of the windows of `span` rows in which each position is one more than the last.
  static Tensor starts_without_gap(const Tensor& positions, int64_t span) {
    const Tensor first = positions.narrow(0, 0, positions.size(0) - span + 1);
    const Tensor last = positions.narrow(0, span - 1, first.size(0));
    return torch::nonzero(last - first == span - 1).squeeze(1);
  }

  Tensor target_rows(const Tensor& starts) const {
    return starts + (options_.length - 1 + options_.horizon);
  }

  void look_for_missing_labels() {
    complete_ = rows_.complete();
    if (complete_) return;
    complete_ = true;
    const Tensor rows = target_rows(starts_);
    for (const auto& item : rows_.targets())
      complete_ = complete_ && is_complete(item.value().index_select(0, rows));
  }

  TensorDataset rows_;
  Options options_;
  Tensor starts_;
  bool complete_ = false;
};

}  // namespace mtl
