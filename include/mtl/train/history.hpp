#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mtl {

/// What one pass over a data set gave. A task without any label there has NaN.
struct SplitRecord {
  double total = 0;                          // the combiner's one number for `losses`
  std::vector<double> losses;                // by task: mean over its labelled samples
  std::vector<std::vector<double>> metrics;  // by task and metric; only for the validation part
};

struct EpochRecord {
  int64_t epoch = 0;         // counts from 1
  double learning_rate = 0;  // of the optimizer's first group during this epoch
  SplitRecord train;
  SplitRecord valid;  // no losses: there was no validation
};

/// A training run by epoch. Holds no clock times: the same run has the same history.
struct History {
  std::vector<std::string> tasks;
  std::vector<std::vector<std::string>> metrics;  // names by task
  std::vector<EpochRecord> epochs;

  bool has_validation() const { return !epochs.empty() && !epochs.front().valid.losses.empty(); }
  /// The epoch with the lowest total on the validation part (else the training part), the first of
  /// equals; 0: none.
  int64_t best_epoch() const;
  /// One line an epoch; columns epoch, learning_rate, train_total, train_<task>..., valid_total,
  /// valid_<task>..., valid_<task>_<metric>...
  std::string csv() const;
};

/// The number that says how good an epoch was: the validation total, or the training total without
/// validation.
inline double watched_loss(const EpochRecord& record) {
  return record.valid.losses.empty() ? record.train.total : record.valid.total;
}

}  // namespace mtl
