#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <string>
#include <vector>

#include "mtl/report/run_report.hpp"

// What a model said about one task beside the truth, as a report needs it.

namespace mtl::report {

struct TaskAnswers {
  enum class Kind {
    classes,  // a class index a sample
    yes_no,   // one or several questions a sample, truths in [0, 1]
    regions,  // a class index a pixel: counts only
    values,   // one or several real values a sample
    none      // nothing that this report can show
  };
  /// An answer with a finite truth and prediction.
  struct Answer {
    int64_t sample = 0, output = 0;
    double truth = 0, said = 0;      // class index, or value in units
    double given = 0, to_truth = 0;  // probability of what was said and of the truth
    double soft_truth = 0;           // yes_no: as the data has it
  };

  TaskView view;
  bool auxiliary = false;
  Kind kind = Kind::none;
  int64_t samples = 0, outputs = 1;
  std::vector<double> truth, prediction;  // values: [samples * outputs] in units, NaN missing
  std::vector<Answer> answers;            // all but regions
  std::vector<std::string> class_names;   // classes, yes_no, regions
  Eigen::MatrixXd counts;                 // of true (rows) and said classes

  bool empty() const { return kind == Kind::regions ? !(counts.sum() > 0) : answers.empty(); }
  /// "Temperature (auxiliary)"
  std::string title() const { return view.title + (auxiliary ? " (auxiliary)" : ""); }
};

TaskView view_of(const RunReport& report, const std::string& task);

/// Error: class names that are not as many as the classes; a class index that the head lacks.
TaskAnswers task_answers(const Task& task, const Predictions& predictions, const TaskView& view);

/// "Temperature: mean absolute error 1.43 °C over 366 samples of the validation data; always saying
/// the median would give 6.9 °C." Empty: there is nothing to say.
std::string sentence_of(const TaskAnswers& answers, const std::string& split);

}  // namespace mtl::report
