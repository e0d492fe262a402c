#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mtl/data/sampling.hpp"
#include "mtl/train/frozen_task.hpp"
#include "mtl/train/history.hpp"
#include "mtl/train/stop_reason.hpp"
#include "mtl/train/watch.hpp"

namespace mtl {

/// What came out of a training run.
struct TrainingRun {
  History history;
  StopReason stop_reason = StopReason::epochs_done;
  std::string stop_text;               ///< "all 100 epochs done", or what a callback gave
  int64_t best_epoch = 0;              ///< lowest watched loss, from 1; 0: no epoch was completed
  int64_t steps = 0;                   ///< batches walked through, skipped ones included
  int64_t faulty_batches = 0;          ///< skipped, as FaultyBatch::skip says
  int64_t faulty_rows = 0;             ///< left out of the validation, as FaultyBatch::skip says
  std::string first_fault;             ///< what was wrong with the first of them
  int64_t overflowed_steps = 0;        ///< skipped: the scaled gradient was NaN or infinite
  int64_t unlabelled_batches = 0;      ///< no task had a label: no step was made
  std::vector<FrozenTask> frozen;      ///< tasks that left the training before its end
  std::vector<std::string> untrained;  ///< parameters that are in no group of the optimizer
  std::vector<DrawnSource> drawn;      ///< from several sources, over all epochs; none: it was one
  /// What it was made of, name and value: tasks, parameters, model, optimizer, combiner and
  /// trainer with the options they had, data and callbacks.
  std::vector<std::pair<std::string, std::string>> made_of;
  double seconds = 0;

  int64_t epochs() const { return static_cast<int64_t>(history.epochs.size()); }
  /// The best epoch by the total, or under a watch: `run.best().valid("weather", "accuracy")`,
  /// `run.best({"weather", "accuracy"}).epoch`. Error: no epoch was completed.
  const EpochRecord& best() const& { return history.best(); }
  const EpochRecord& best(const Watch& watch) const& { return history.best(watch); }
  EpochRecord best() && { return history.best(); }
  EpochRecord best(const Watch& watch) && { return history.best(watch); }
  /// One line for a log.
  std::string brief() const;
  /// Every task with its losses and metrics at the best and the last epoch, for a bug report.
  std::string report() const;
  /// What was drawn from several sources, in one line; empty: it was one.
  std::string drawn_text() const;
};

}  // namespace mtl
