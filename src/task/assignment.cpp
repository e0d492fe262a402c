#include "mtl/task/assignment.hpp"

#include <ATen/ATen.h>

#include <limits>

#include "mtl/core/error.hpp"

namespace mtl {
namespace {

/// Rows join one by one. Prices of rows and columns are kept so that cost - row - column is at
/// least 0 everywhere and 0 where a row has its column; a new row then takes the shortest path, by
/// that measure, to a column that nobody has, and every row on it moves on by one.
class Columns {
 public:
  Columns(const double* costs, int64_t rows, int64_t columns)
      : costs_(costs),
        row_prices_(static_cast<size_t>(rows)),
        column_prices_(static_cast<size_t>(columns)),
        rows_(static_cast<size_t>(columns), none) {}

  void add(size_t row) {
    const size_t columns = rows_.size();
    std::vector<double> distances(columns, std::numeric_limits<double>::infinity());
    std::vector<size_t> before(columns, none);  // the column from whose row the path comes
    std::vector<bool> passed(columns);
    size_t column = none;
    double distance = 0;
    for (size_t at = row;; at = rows_[column]) {
      size_t nearest = none;
      for (size_t c = 0; c < columns; ++c) {
        if (passed[c]) continue;
        const double way =
            distance + costs_[at * columns + c] - row_prices_[at] - column_prices_[c];
        if (way < distances[c]) {
          distances[c] = way;
          before[c] = column;
        }
        if (nearest == none || distances[c] < distances[nearest]) nearest = c;
      }
      column = nearest;
      distance = distances[column];
      if (rows_[column] == none) break;
      passed[column] = true;
    }
    row_prices_[row] += distance;
    for (size_t c = 0; c < columns; ++c) {
      if (!passed[c]) continue;
      row_prices_[rows_[c]] += distance - distances[c];
      column_prices_[c] -= distance - distances[c];
    }
    for (size_t next; column != none; column = next) {
      next = before[column];
      rows_[column] = next == none ? row : rows_[next];
    }
  }

  /// By column, its row or `none`.
  const std::vector<size_t>& rows() const { return rows_; }

  static constexpr size_t none = std::numeric_limits<size_t>::max();

 private:
  const double* costs_;
  std::vector<double> row_prices_, column_prices_;
  std::vector<size_t> rows_;
};

}  // namespace

std::vector<int64_t> cheapest_assignment(const Tensor& costs) {
  if (costs.dim() != 2)
    throw Error("cheapest_assignment: found costs {}, expected a matrix [rows, columns]",
                shape_text(costs));
  if (!costs.isfinite().all().item<bool>())
    throw Error(
        "cheapest_assignment: a cost is NaN or infinite; give a large number for what must "
        "not be");
  const bool turned = costs.size(0) > costs.size(1);
  const Tensor table =
      (turned ? costs.t() : costs).detach().to(torch::kCPU, torch::kDouble).contiguous();
  Columns columns(table.data_ptr<double>(), table.size(0), table.size(1));
  for (int64_t row = 0; row < table.size(0); ++row) columns.add(static_cast<size_t>(row));
  std::vector<int64_t> result(static_cast<size_t>(costs.size(0)), -1);
  for (size_t c = 0; c < columns.rows().size(); ++c) {
    const size_t row = columns.rows()[c];
    if (row == Columns::none) continue;
    result[turned ? c : row] = static_cast<int64_t>(turned ? row : c);
  }
  return result;
}

}  // namespace mtl
