#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/text_encoding.hpp"

namespace mtl {

/// A CSV file with one line of column names, or an ARFF file (its name ends in .arff): columns of
/// numbers as tensors, columns of text as strings. A column gets its type when it is asked for, so
/// that an error names the cell that does not fit and columns that nobody needs may hold anything
/// and cost nothing. What is kept is the text of the file; a column, or a matrix of any number of
/// them, is one walk over it.
///
///     const auto table = mtl::Table::read("houses.csv");
///     torch::Tensor inputs = table.matrix({"rooms", "area"});   // [rows, 2] float64, NaN: missing
///     std::vector<std::string> kinds = table.texts("kind");
class Table {
 public:
  static constexpr char any_separator = '\0';

  struct Options {
    char separator = ',';  ///< any_separator: the likeliest (io::likely_separator)
    io::TextEncoding encoding = io::TextEncoding::automatic;
    /// Cells without a value.
    std::vector<std::string> missing = {"", "NA", "NaN", "nan", "null"};
    std::vector<std::string> columns = {};  ///< names, for a file whose first line is data already
  };

  /// Blank lines are passed over. `parse` takes CSV text.
  /// Error: a file that cannot be read, is no CSV (`io::CsvReader`) or ARFF (`io::parse_arff`) or
  /// holds no row, an empty or repeated column name, a row with more or fewer cells than there are
  /// columns.
  static Table read(const std::filesystem::path& path, Options options);
  static Table read(const std::filesystem::path& path) { return read(path, Options()); }
  static Table parse(std::string text, std::string file, Options options);
  static Table parse(std::string text, std::string file) {
    return parse(std::move(text), std::move(file), Options());
  }

  int64_t rows() const { return rows_; }
  const std::vector<std::string>& columns() const { return options_.columns; }
  bool has(std::string_view column) const;
  /// The line of the file that row `row` begins on, for errors about its meaning.
  int64_t line(int64_t row) const;
  /// "houses.csv, line 12, column "price"": a cell, for errors about its meaning.
  std::string where(int64_t row, std::string_view column) const;

  /// [rows] float64, NaN where there is no value.
  /// Error: no such column, a cell that is not a number.
  Tensor numbers(std::string_view column) const;
  /// [rows, columns] float64. Error: as `numbers`.
  Tensor matrix(const std::vector<std::string>& columns) const;
  /// [rows] as written; "" where there is no value. Error: no such column; the text lists those
  /// that there are, the most similar first.
  std::vector<std::string> texts(std::string_view column) const {
    return std::move(text_columns({std::string(column)}).front());
  }
  /// The same of several columns, in one walk. Error: no such column.
  std::vector<std::vector<std::string>> text_columns(const std::vector<std::string>& columns) const;

 private:
  Table(std::string text, std::string file, Options options);
  size_t index_of(std::string_view column) const;
  bool is_missing(std::string_view cell) const;
  io::CsvReader reader(io::CsvReader::Place from) const {
    return {text_, file_, options_.separator, from};
  }

  std::string text_, file_;
  Options options_;
  std::array<bool, 256> begins_missing_{};  // the first bytes of signs for missing values
  int64_t rows_ = 0;
  std::vector<io::CsvReader::Place> marks_;  // where every 1024th row begins
};

}  // namespace mtl
