#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/evaluate/comparison.hpp"
#include "mtl/task/metric.hpp"
#include "mtl/train/history.hpp"

namespace mtl::evaluate {

/// What a run reached in one metric of one task.
struct Score {
  std::string task, metric;
  double value = 0;
  Better better = Better::lower;
  bool auxiliary = false;  ///< of a task that only helps the others (Task::auxiliary)
};

/// All of a data set's losses and metrics: what `validate` gives, or `run.best().valid`.
/// Error: the record has no names, or no values.
std::vector<Score> scores_of(const SplitRecord& record);

/// The model of one task alone, as a method.
inline constexpr std::string_view single_task = "single-task";

/// One run of a comparison.
struct Trial {
  std::string method = {};               ///< one of CompareOptions::methods, or `single_task`
  std::vector<std::string> tasks = {};   ///< those to train: all, or one for `single_task`
  uint64_t seed = 0;                     ///< of everything that is drawn
  std::filesystem::path directory = {};  ///< for checkpoints and what is to be kept of the run
};

/// Trains what the trial says and tells what it reached on data that it was not trained on. Uses
/// the same network, data order and budget for every trial; makes model and optimizer anew.
using Recipe = std::function<std::vector<Score>(const Trial&)>;

struct CompareOptions {
  std::vector<std::string> tasks = {};         ///< those of the joint model
  std::vector<std::string> methods = {"sum"};  ///< of the joint model: names that the recipe knows
  int64_t seeds = 5;                           ///< runs of each, from seed `first_seed` on
  uint64_t first_seed = 0;
  std::filesystem::path directory = {};  ///< of the runs; what is finished there is not run again
  std::string identity = {};             ///< what else the scores depend on: data, budget, network
  /// Runs at once, each in a process of its own with one thread; 1: here, one after the other.
  /// A recipe that runs in another process must not need threads that were started before.
  int64_t processes = 1;
  int64_t memory = 0;   ///< bytes for all processes together, by what the first run took; 0: no end
  double level = 0.95;  ///< of intervals and verdicts
};

/// Trains one model a task, the joint model by each method, for each seed, and compares them.
/// Writes directory/<method>/seed-<n>/scores.json (for single-task models: directory/single-task/
/// <task>/seed-<n>/) as each run ends, so that a comparison that was stopped goes on where it was;
/// a run that keeps checkpoints in its directory goes on within. Auxiliary tasks are shown, but get
/// no verdict and have no part in delta_m.
/// Error: options that make no sense; a directory in use, or with runs of another identity; a
/// recipe that fails, with the trial it was at, or gives scores for other tasks than asked for.
Comparison compare(const CompareOptions& options, const Recipe& recipe);

}  // namespace mtl::evaluate
