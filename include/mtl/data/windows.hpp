#pragma once

#include "mtl/core/batch.hpp"

namespace mtl {

struct WindowOptions {
  int64_t length = 14;  ///< rows in a window
  int64_t horizon = 1;  ///< the target is the row this far behind the window's last; 0: the last
};

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
  /// Throws Error for differing numbers of rows, positions that do not ascend, sample weights that
  /// are negative or not finite, and where not one window fits.
  WindowDataset(NamedTensors inputs, NamedTensors targets, WindowOptions options = {},
                const Tensor& positions = {}, Tensor sample_weights = {},
                NamedTensors task_sample_weights = NamedTensors());

  int64_t size() const { return starts_.size(0); }
  /// First row of each window: int64 [size], ascending.
  const Tensor& starts() const { return starts_; }
  /// Whether no target of a window has a missing label.
  bool complete() const { return complete_; }

  /// The windows named by `indices` [n]: inputs [n, length, ...], targets [n, ...].
  Batch get(const Tensor& indices) const;
  int64_t row_bytes() const;

  /// The windows named by `indices` [n] as a dataset of its own; the rows are shared.
  WindowDataset windows(const Tensor& indices) const;

 private:
  NamedTensors inputs_, targets_;
  Tensor sample_weights_;  // of the rows
  NamedTensors task_sample_weights_;
  WindowOptions options_;
  Tensor starts_;
  bool complete_ = false;

  Tensor target_rows(const Tensor& starts) const {
    return starts + (options_.length - 1 + options_.horizon);
  }
  void look_for_missing_labels();
};

}  // namespace mtl
