#pragma once

#include <optional>

#include "table/learner.hpp"

namespace table {

/// The rows that are in the one and not in the other, int64 each.
Tensor rows_without(const Tensor& rows, const Tensor& others);

/// What networks said about rows that they had not learnt from, in units, and beside it what one
/// would say without any network: the mean of the rows learnt from, or their shares of classes.
class Found {
 public:
  explicit Found(const Data& data);
  void add(const Data& data, const Tensor& learnt_from, const Tensor& asked, Model& model);

  /// Which rows were asked so far, from 0, int64.
  Tensor rows() const { return asked_.nonzero().squeeze(1); }
  /// Of these rows, in the file's order.
  mtl::Predictions predictions() const { return of(answers_); }
  mtl::Predictions without_network() const { return of(baseline_); }
  /// A regression's error as a share of that of the mean, root mean squares, the mean over folds;
  /// NaN where there is none.
  double relative_rmse(const std::string& task) const;
  std::string last_fold() const;  // ", relative RMSE 0.52" or nothing

 private:
  mtl::Predictions of(const NamedTensors& answers) const;

  std::vector<ColumnTask> tasks_;
  NamedTensors targets_ = NamedTensors(), answers_ = NamedTensors(), baseline_ = NamedTensors();
  Tensor asked_, weights_;
  std::vector<std::map<std::string, double>> folds_;  // relative RMSE by regression
};

/// results.json, the pictures and report.html; prints how good it is.
void write_results(const std::filesystem::path& folder, const Json& settings, const Data& data,
                   const Found& found, const Learnt& learnt,
                   const std::optional<mtl::evaluate::Comparison>& comparison,
                   const std::vector<std::string>& warnings);

/// A line a row: a regression's value, or the likeliest class and how likely it is.
std::string predictions_csv(const std::vector<ColumnTask>& tasks, const NamedTensors& answers);

}  // namespace table
