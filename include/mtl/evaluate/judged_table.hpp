#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/evaluate/cross_validation.hpp"
#include "mtl/io/json.hpp"
#include "mtl/task/task.hpp"
#include "mtl/train/tables/table_model.hpp"

namespace mtl::evaluate {

/// How good networks are on rows of a table that they did not learn from, in units, beside what one
/// would say without them: the mean of the rows learnt from; of classes, how frequent each is.
///
///     JudgedTable judged;
///     judged.add(learnt.model, data, train, unseen);
///     JudgedTable all = cross_validate(data, 10);   // each row by networks that had not seen it
///     all.measures();
///     all.average_relative_rmse();
class JudgedTable {
 public:
  /// In one measure of one task.
  struct Measure {
    std::string task, name;
    double networks = 0, without = 0;
  };

  /// Asks a model that learnt from some rows of the table (int64 [n]) about others.
  /// Error: `data` has other tasks or columns.
  void add(TableModel& model, const TableData& data, const Tensor& learnt_from, const Tensor& rows);

  /// How often it was asked.
  size_t parts() const { return networks_.size(); }
  /// What the networks said, of all parts together in the order of the rows. Error: nothing was
  /// asked; one row twice.
  RowPredictions answers() const { return in_row_order(networks_); }
  /// By task the metrics of judged_tasks, and of a regression relative_rmse. Error: as answers.
  std::vector<Measure> measures() const;
  /// A regression's error as a share of that of the mean, root mean squares, the mean over the
  /// parts; NaN of other tasks, and where the mean makes no error.
  double relative_rmse(std::string_view task) const;
  /// The mean of these over the regressions (aRRMSE: Spyromitros-Xioufis et al., Machine Learning
  /// 104, 2016); NaN where there are none.
  double average_relative_rmse() const;
  /// {"tasks": {task: {measure: {"networks": 1.5, "without": 2.5}}}}, and "average_relative_rmse"
  /// where there is one. Error: as answers.
  io::Json json() const;

 private:
  std::vector<Task> tasks_;
  std::vector<RowPredictions> networks_, without_;
};

/// The tasks of such answers, without heads, with the metrics that judge them, the most telling one
/// first: RMSE, MAE and R2; accuracy and ROC AUC; accuracy and balanced accuracy.
std::vector<Task> judged_tasks(const std::vector<TargetColumn>& columns);

/// Judges every row of a table by networks that learnt from the other parts of k_folds, all that is
/// chosen being chosen there; each part has a seed of its own. `after` hears of each part.
/// Error: as k_folds and learn_table.
JudgedTable cross_validate(
    const TableData& data, int64_t folds, TableLearning learning = {},
    const std::function<void(const LearntTable&, const JudgedTable&)>& after = {});

}  // namespace mtl::evaluate
