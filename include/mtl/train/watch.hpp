#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/train/history.hpp"

namespace mtl {

struct TrainState;

/// What an epoch is judged by.
struct EpochScore {
  double value = std::numeric_limits<double>::quiet_NaN();  // NaN: it has none
  Better better = Better::lower;
  /// For a total: which tasks have a part in it. A sum over fewer tasks is smaller without being
  /// better.
  std::vector<bool> tasks = {};
};

/// Whether `score` beats `best` by more than `margin` times |best|.
///
/// What has no value beats nothing, and every value beats it. Totals over the same tasks are
/// compared by value. One that covers all tasks of the best and more replaces it, so that the rest
/// of the run is measured by the fuller one; one that lacks a task of the best beats nothing.
bool is_better(const EpochScore& score, const EpochScore& best, double margin = 0);

/// Whether it is better or equal.
bool is_as_good(const EpochScore& score, const EpochScore& best);

/// For state_dict() and load_state_dict(): "best" and "best_tasks".
void put_score(NamedTensors& state, const EpochScore& score);
EpochScore score_from(const NamedTensors& state);

/// A result of a task in a mean over tasks.
struct WatchedTask {
  std::string task;
  std::string what = "loss";  ///< or a metric
  double weight = 1;
};

/// What early stopping, the best model and the plateau schedule look at:
///
///     EarlyStopping{}                                  the validation total, or the training total
///     EarlyStopping{.watch = {"weather"}}              a task's validation loss
///     EarlyStopping{.watch = {"weather", "accuracy"}}  a task's metric, which knows its direction
///     EarlyStopping{.watch = function}                 of an EpochRecord; lower is better
///     EarlyStopping{.watch = {function, mtl::Better::higher}}
///     EarlyStopping{.watch = mtl::mean_of({{"weather", "accuracy", 2}, {"rain", "accuracy"}})}
///
/// A total leaves out auxiliary tasks (Task::auxiliary) and nothing else.
class Watch {
 public:
  Watch() = default;
  Watch(std::string task, std::string what = "loss")
      : task_(std::move(task)), what_(std::move(what)) {}
  template <class F>
  requires std::is_invocable_r_v<double, const F&, const EpochRecord&> Watch(
      F function, Better better = Better::lower)
      : function_(std::move(function)), better_(better) {}

  /// Error, in the name of `who`: there is no such task or metric, the loss of a task that is only
  /// judged (NoLoss), or no validation data.
  void check(const TrainState& state, std::string_view who) const;

  /// What it sees in an epoch.
  EpochScore score(const EpochRecord& record) const;

  /// "total", "weather loss", "mean of 2 weather accuracy, 1 rain accuracy", "a function"
  std::string text() const;

  /// Of which task it is a result; empty: of none alone.
  const std::string& task() const { return task_; }

  friend Watch mean_of(std::vector<WatchedTask> tasks);

 private:
  std::string task_, what_;
  std::vector<WatchedTask> mean_;  // empty: it is no mean
  std::function<double(const EpochRecord&)> function_;
  Better better_ = Better::lower;
};

/// The weighted mean of chosen tasks' results, sum(weight * value) / sum(weight). An epoch in which
/// one of them has no value has none. Error: no task, a weight that is no finite number above 0; in
/// check(): some are better when higher and others when lower.
Watch mean_of(std::vector<WatchedTask> tasks);

/// One watch a task for what judges tasks apart: those given, or the validation loss of every task
/// that has one (NoLoss has none).
/// Error, in the name of `who`: one is not of a task, two are of one task, or as Watch::check.
std::vector<Watch> watches_by_task(const std::vector<Watch>& given, const TrainState& state,
                                   std::string_view who);

/// "rain loss, weather accuracy"
std::string text_of(const std::vector<Watch>& watches);

/// The total that says how good an epoch was: of the validation part, or of the training part
/// without validation.
inline double watched_total(const EpochRecord& record) {
  return record.valid.losses.empty() ? record.train.total : record.valid.total;
}

}  // namespace mtl
