#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/data/csv.hpp"

namespace mtl {

struct TableOptions {
  char separator = ',';
  TextEncoding encoding = TextEncoding::automatic;
  std::vector<std::string> missing = {"", "NA", "NaN", "nan", "null"};  ///< cells without a value
  std::vector<std::string> columns;  ///< names, for a file whose first line is data already
};

/// A CSV file with one line of column names: columns of numbers as tensors, columns of text as
/// strings. A column gets its type when it is asked for, so that an error names the cell that does
/// not fit and columns that nobody needs may hold anything.
///
///     const auto table = mtl::Table::read("houses.csv");
///     torch::Tensor inputs = table.matrix({"rooms", "area"});   // [rows, 2] float64, NaN =
///     missing const auto& kinds = table.texts("kind");
class Table {
 public:
  /// Throws Error for a file that cannot be read or holds no row, for an empty or repeated column
  /// name and for a row with more or fewer cells than there are columns.
  static Table read(const std::filesystem::path& path, TableOptions options = {});
  static Table parse(std::string_view text, std::string_view file, TableOptions options = {});

  int64_t rows() const { return static_cast<int64_t>(csv_.rows.size()); }
  const std::vector<std::string>& columns() const { return columns_; }
  bool has(std::string_view column) const;
  /// The line of the file that row `row` begins on, for errors about its meaning.
  int64_t line(int64_t row) const { return csv_.rows.at(static_cast<size_t>(row)).line; }

  /// [rows] float64, NaN where there is no value. Throws Error at a cell that is not a number.
  Tensor numbers(std::string_view column) const;
  /// [rows, columns] float64.
  Tensor matrix(const std::vector<std::string>& columns) const;
  /// [rows] as written; "" where there is no value.
  std::vector<std::string> texts(std::string_view column) const;

 private:
  Table(Csv csv, TableOptions options);
  size_t index_of(std::string_view column) const;
  bool is_missing(std::string_view cell) const;

  Csv csv_;
  std::vector<std::string> missing_, columns_;
};

}  // namespace mtl
