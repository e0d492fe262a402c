#pragma once

#include <string>
#include <vector>

#include "mtl/data/table_columns.hpp"
#include "mtl/io/json.hpp"

namespace mtl {

/// Columns of a table as the inputs of a network, all of about the size of 1. What it does to a
/// column it learns from some rows (the training part), and does the same to others:
///
///     numbers   z = (x - median) / scale, then z / sqrt(1 + (z / 3)^2), which keeps what is near
///               and brings what is far out to at most 3 (Holzmueller et al., NeurIPS 2024);
///               scale: the quartiles' distance / 1.349, the deviation of normal data
///     numbers   with `bins` also a column between every two of so many quantiles that differ: how
///               far x has come, 0 to 1 (piecewise linear: Gorishniy et al., NeurIPS 2022)
///     dates     as numbers; the year as a circle (sine, cosine); the day of the week, one-hot;
///               with times of day also the day as a circle
///     texts     one-hot: the most frequent ones, and one column for all others
///     missing   a column of its own for each that has missing cells in the rows learnt from; the
///               numbers themselves become the median, texts 0
///
/// A text that training has not seen is one of the others, and `unseen` says so. A column that
/// tells nothing is left out: one value only, or texts that nearly all differ (names, comments).
///
///     const auto columns = mtl::read_columns(table, {"area", "city", "built"});
///     const mtl::TableEncoder encoder(columns, training_rows);
///     torch::Tensor inputs = encoder.encode(columns);              // [rows, encoder.size()]
///     torch::Tensor others = encoder.encode(encoder.read(other_table));
class TableEncoder {
 public:
  struct Options {
    int64_t most_texts = 30;  ///< columns for the texts of a column, without that for the others
    int64_t bins = 0;         ///< quantiles of the piecewise linear encoding; 0: none
  };

  /// `rows`: int64 [n], those to learn from; undefined: all.
  /// Error: no column, columns of unequal length, no such row, nothing is left to learn from.
  TableEncoder(const std::vector<TableColumn>& columns, const Tensor& rows, Options options);
  explicit TableEncoder(const std::vector<TableColumn>& columns, const Tensor& rows = {})
      : TableEncoder(columns, rows, Options()) {}

  /// Columns of the encoded table.
  int64_t size() const;
  /// The names of the table's columns that it uses.
  std::vector<std::string> columns() const;
  /// Why columns are left out, a line each.
  const std::vector<std::string>& left_out() const { return left_out_; }

  /// The columns that it uses, of another table. Error: as `read_columns`.
  std::vector<TableColumn> read(const Table& table) const;
  /// [rows, size()] float32. Error: a column that it uses is not there, or of another kind.
  Tensor encode(const std::vector<TableColumn>& columns) const;
  /// Texts of these columns that it has not learnt, a line a column.
  std::vector<std::string> unseen(const std::vector<TableColumn>& columns) const;

  io::Json json() const;
  /// What `json()` gave. Error: something else; `file` is what it calls it.
  static TableEncoder from_json(const io::Json& json, const std::string& file);

 private:
  struct Learnt {
    std::string name;
    ColumnKind kind = ColumnKind::numbers;
    double median = 0, scale = 1;
    bool missing = false, times = false;
    std::vector<double> edges = {};        // of the piecewise linear encoding
    std::vector<std::string> texts = {};   // that have columns
    std::vector<std::string> others = {};  // seen, without a column of their own
  };

  TableEncoder() = default;
  void learn_values(Learnt& learnt, Tensor values, int64_t bins);
  bool learn_texts(Learnt& learnt, const std::vector<std::string>& texts, const Tensor& rows,
                   int64_t most);

  std::vector<Learnt> columns_;
  std::vector<std::string> left_out_;
};

}  // namespace mtl
