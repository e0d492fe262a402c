#pragma once

#include <optional>

#include <mtl/mtl.hpp>

namespace table {

using mtl::NamedTensors;
using mtl::Tensor;
using mtl::io::Json;

using mtl::evaluate::RowPredictions;

/// What networks said of rows that they had not learnt from, in units, a part of the rows each, and
/// beside it what one would say without: the mean of the rows learnt from, or their shares.
struct Found {
  std::vector<RowPredictions> networks = {}, without = {};

  void ask(mtl::TableModel& model, const mtl::TableData& data, const Tensor& learnt_from,
           const Tensor& rows);
  /// A regression's error as a share of that of the mean, root mean squares, the mean over the last
  /// `parts`; NaN where there is none.
  double relative_rmse(const std::string& task, size_t parts) const;
};

/// The tasks by name with the metrics that judge such predictions, the most telling one first.
std::vector<mtl::Task> judged(const std::vector<mtl::TargetColumn>& tasks);

/// results.json, the pictures and report.html. Returns how good it is, in words.
std::string write_results(const std::filesystem::path& folder, const Json& settings,
                          const mtl::TableData& data, const Found& found,
                          const mtl::LearntTable& learnt,
                          const std::optional<mtl::evaluate::Comparison>& comparison,
                          const std::vector<std::string>& warnings);

/// A line a row: a regression's value, or the likeliest class and how likely it is.
std::string predictions_csv(const std::vector<mtl::TargetColumn>& tasks,
                            const NamedTensors& answers);

}  // namespace table
