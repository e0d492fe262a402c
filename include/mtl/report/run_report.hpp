#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "mtl/report/figure.hpp"
#include "mtl/report/html.hpp"
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
  std::string split = "validation";  ///< which data the predictions are of
  std::vector<TaskView> views = {};  ///< for tasks that need more than their name
  std::string x_label = "sample";    ///< what follows upon each other: "day"
  std::vector<double> times = {};  ///< when each sample happened, seconds since 1970; may be empty
  std::vector<std::pair<std::string, std::string>> settings = {};  ///< name, value
  std::vector<std::pair<std::string, TextTable>> tables = {};      ///< caption, table: stand on top
  std::vector<std::pair<std::string, Figure>> figures =
      {};  ///< file name without extension, picture
  std::vector<std::string> warnings = {};
  const CombinerLog* combiner = nullptr;  ///< its entries are drawn
  DrawOptions draw = {};
};

/// The files that were written.
struct RunFiles {
  std::filesystem::path page = {};
  std::vector<std::filesystem::path> pictures = {};
  std::string without_pictures = {};  ///< why there are none; empty: they were drawn
};

/// Writes everything that a finished run offers into `directory` (made where needed): pictures as
/// PNG and SVG, and report.html with all of them and the tables.
///     loss_total, loss_by_task                        from the history
///     <task>_series, <task>_scatter                   regressions with one value a sample
///     <task>_confusion                                classifications with class indices
///     combiner_weights, combiner_shares, combiner_cosines   with a CombinerLog
/// Without gnuplot the page is written without pictures and says so, as it does of a task without
/// labels.
RunFiles run_report(const std::filesystem::path& directory, const TrainingRun& run,
                    const TaskRegistry& tasks, const Predictions& predictions,
                    const RunReport& report = {});

}  // namespace mtl::report
