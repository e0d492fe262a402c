#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/task/metric.hpp"

namespace mtl {

class TaskRegistry;
class Watch;

/// What the results of a run are called.
struct ResultNames {
  std::vector<std::string> tasks = {};
  std::vector<std::vector<std::string>> metrics = {};    // by task
  std::vector<std::vector<bool>> higher_is_better = {};  // by task and metric
  std::vector<bool> auxiliary = {};                      // by task; none: no task is

  bool is_auxiliary(size_t task) const { return task < auxiliary.size() && auxiliary[task]; }
  bool has_auxiliary() const {
    return std::find(auxiliary.begin(), auxiliary.end(), true) != auxiliary.end();
  }
};

/// The names of a registry's tasks and metrics.
ResultNames result_names(const TaskRegistry& tasks);

namespace train_detail {

[[noreturn]] void no_such_result(size_t index, size_t results);

/// Where a result stands in a SplitRecord.
struct ResultPlace {
  size_t task;
  int64_t metric;  // -1: the loss
  Better better;
};

/// Error: there is no such task or metric, with the names that there are.
ResultPlace find_result(const ResultNames& names, std::string_view task, std::string_view what);

}  // namespace train_detail

/// A vector whose [] looks whether there is such a result: a run without validation data has none.
template <class T>
class Results : public std::vector<T> {
 public:
  using std::vector<T>::vector;
  Results() = default;
  Results(std::vector<T> values) : std::vector<T>(std::move(values)) {}

  /// Error: there is no result of that index.
  T& operator[](size_t index) { return this->data()[checked(index)]; }
  const T& operator[](size_t index) const { return this->data()[checked(index)]; }

 private:
  size_t checked(size_t index) const {
    if (index >= this->size()) train_detail::no_such_result(index, this->size());
    return index;
  }
};

/// What one pass over a data set gave. A task without any label there has NaN.
struct SplitRecord {
  /// The combiner's one number for `losses` without those of auxiliary tasks.
  double total = std::numeric_limits<double>::quiet_NaN();
  Results<double> losses = {};            // by task: mean over its labelled samples
  Results<Results<double>> metrics = {};  // by task and metric; only for the validation part
  std::shared_ptr<const ResultNames> names = {};  // given by the trainer and by validate()

  /// The loss or a metric of a task: `run.best().valid("weather", "accuracy")`.
  /// Error: no such task or metric, with the names that there are; no validation data.
  double operator()(std::string_view task, std::string_view what = "loss") const;
};

struct EpochRecord {
  int64_t epoch = 0;         // counts from 1
  double learning_rate = 0;  // of the optimizer's first group during this epoch
  SplitRecord train = {};
  SplitRecord valid = {};                // no losses: there was no validation
  std::vector<double> group_rates = {};  // of every group, where there are several
};

/// A training run by epoch. Holds no clock times: the same run has the same history.
struct History : ResultNames {
  std::vector<EpochRecord> epochs = {};

  /// Appends an epoch and tells it its names.
  void add(EpochRecord record);

  bool has_validation() const { return !epochs.empty() && !epochs.front().valid.losses.empty(); }

  /// The best epoch under the watch, the first of equals; without a watch the one with the lowest
  /// total on the validation part (else the training part). How epochs are compared: is_better() in
  /// watch.hpp. The first epoch where none has a value; 0: there is no epoch.
  int64_t best_epoch() const;
  int64_t best_epoch(const Watch& watch) const;

  /// That epoch. Error: there is none.
  const EpochRecord& best() const { return at(best_epoch()); }
  const EpochRecord& best(const Watch& watch) const { return at(best_epoch(watch)); }
  /// Error: there is none.
  const EpochRecord& last() const { return at(static_cast<int64_t>(epochs.size())); }
  /// Epoch `epoch`, from 1. Error: the run has no such epoch.
  const EpochRecord& at(int64_t epoch) const;

  /// One line an epoch; columns epoch, learning_rate, learning_rate_<group> of further groups (from
  /// 1; empty before the group joined), train_total, train_<task>..., valid_total,
  /// valid_<task>..., valid_<task>_<metric>...
  std::string csv() const;
  std::string csv_header(bool validation) const;
  std::string csv_line(const EpochRecord& record) const;
  /// The most groups that an epoch had.
  size_t groups() const;
};

}  // namespace mtl
