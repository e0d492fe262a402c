#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "mtl/evaluate/comparison.hpp"
#include "mtl/report/figure.hpp"
#include "mtl/report/page.hpp"
#include "mtl/train/callbacks/combiner_log.hpp"
#include "mtl/train/predict.hpp"
#include "mtl/train/training_run.hpp"

namespace mtl::report {

/// How a reader knows the values of a task. What is left empty follows from the task.
struct TaskView {
  std::string task = {};         ///< name in the registry
  std::string title = {};        ///< "Temperature"; empty: the task's name
  std::string unit = {};         ///< "°C"
  double scale = 1, offset = 0;  ///< value in that unit = scale * network's value + offset
  std::vector<std::string> class_names = {};  ///< of a classification; empty: "0", "1", ...
};

/// What a run's report says beside the run itself.
struct RunReport {
  std::string title = "Training run";
  std::vector<std::string> verdict = {};  ///< sentences before those that follow from the answers
  std::string data = {};                  ///< which data it was, in words
  std::string split = "validation";       ///< which part of it the predictions are of
  std::vector<TaskView> views = {};       ///< for tasks that need more than their name
  std::string x_label = "sample";         ///< what follows upon each other: "day"
  std::vector<double> times = {};  ///< when each sample happened, seconds since 1970; may be empty
  std::vector<std::pair<std::string, std::string>> settings = {};  ///< name, value; see TrainingRun
  std::vector<std::pair<std::string, TextTable>> tables = {};  ///< caption, table: of the results
  std::vector<std::pair<std::string, Figure>> figures =
      {};  ///< file name without extension, picture
  std::vector<std::string> warnings = {};
  const CombinerLog* combiner = nullptr;  ///< its entries are drawn
  /// The joint model beside others, with table, intervals and verdicts.
  const evaluate::Comparison* comparison = nullptr;
  int64_t worst = 12;  ///< mistakes shown of each task; 0: none
  /// What a sample of the predictions is called, and its picture, uint8 [3, H, W]. Empty: its time
  /// or number; no pictures.
  std::function<std::string(int64_t)> sample_name = {};
  std::function<Tensor(int64_t)> sample_picture = {};
  DrawOptions draw = {};
};

/// Everything that a finished run offers, as a page: a verdict in words (what each task reached,
/// and what one would reach without any network), what the run was made of, then
///     loss_total, loss_<task>                         from the history
///     <task>_confusion, <task>_reliability            classifications: class indices, or a yes
///     <task>_series, <task>_scatter                   real values; the series of one a sample
///     <task>_mistakes                                 the worst ones, with `sample_picture`
///     combiner_weights, _shares, _conflicts, _pairs, _cosines   with a CombinerLog
///     comparison, comparison_mean                     with a comparison
/// A task without labels has a sentence that says so; an auxiliary task is called one.
/// Error: class names that are not as many as the classes; class indices that the head lacks.
Page run_page(const TrainingRun& run, const TaskRegistry& tasks, const Predictions& predictions,
              const RunReport& report = {});

/// Writes that page as report.html and report.json with its pictures (write_page).
ReportFiles run_report(const std::filesystem::path& directory, const TrainingRun& run,
                       const TaskRegistry& tasks, const Predictions& predictions,
                       const RunReport& report = {});

}  // namespace mtl::report
