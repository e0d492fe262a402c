#include "mtl/data/table.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "mtl/core/error.hpp"
#include "mtl/core/nearest_first.hpp"
#include "mtl/io/arff.hpp"
#include "mtl/io/excerpt.hpp"

namespace mtl {
namespace {

constexpr int64_t rows_a_mark = 1024;

bool next_row(io::CsvReader& reader) {
  while (reader.next())
    if (!reader.blank()) return true;
  return false;
}

void check_names(const std::vector<std::string>& names, const std::string& where) {
  std::unordered_set<std::string_view> seen;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) throw Error("{}, column {}: the column has no name", where, i + 1);
    if (!seen.insert(names[i]).second)
      throw Error("{}, column {}: the column name \"{}\" occurs twice", where, i + 1,
                  io::excerpt(names[i]));
  }
}

}  // namespace

Table Table::read(const std::filesystem::path& path, Options options) {
  std::string text = io::read_text(path, options.encoding);
  if (path.extension() == ".arff") {
    io::Arff arff = io::parse_arff(text, path.string());
    options.columns = std::move(arff.columns);
    options.separator = ',';
    text = std::move(arff.csv);
  }
  return Table(std::move(text), path.string(), std::move(options));
}

Table Table::parse(std::string text, std::string file, Options options) {
  text = io::decode_text(std::move(text), options.encoding, file);
  return Table(std::move(text), std::move(file), std::move(options));
}

Table::Table(std::string text, std::string file, Options options)
    : text_(std::move(text)), file_(std::move(file)), options_(std::move(options)) {
  for (const std::string& sign : options_.missing)
    if (!sign.empty()) begins_missing_[static_cast<unsigned char>(sign.front())] = true;
  if (options_.separator == any_separator) options_.separator = io::likely_separator(text_);
  io::CsvReader row = reader({});
  if (options_.columns.empty()) {
    if (!next_row(row)) throw Error("{} is empty; a line of column names was expected", file_);
    options_.columns.assign(row.cells().begin(), row.cells().end());
    check_names(options_.columns, fmt::format("{}, line {}", file_, row.line()));
  } else {
    check_names(options_.columns, file_ + ", the names given");
  }
  for (auto place = row.place(); next_row(row); place = row.place()) {
    if (row.cells().size() != columns().size())
      throw Error("{}, line {}: {} cells where there are {} columns", file_, row.line(),
                  row.cells().size(), columns().size());
    if (rows_++ % rows_a_mark == 0) marks_.push_back(place);
  }
  if (rows_ == 0) throw Error("{} has no row of data", file_);
}

int64_t Table::line(int64_t row) const {
  if (row < 0 || row >= rows_) throw Error("{} has {} rows, but no row {}", file_, rows_, row);
  io::CsvReader at = reader(marks_[static_cast<size_t>(row / rows_a_mark)]);
  for (int64_t i = 0; i <= row % rows_a_mark; ++i) next_row(at);
  return at.line();
}

std::string Table::where(int64_t row, std::string_view column) const {
  return fmt::format("{}, line {}, column \"{}\"", file_, line(row), column);
}

bool Table::has(std::string_view column) const {
  return std::find(columns().begin(), columns().end(), column) != columns().end();
}

size_t Table::index_of(std::string_view column) const {
  const auto found = std::find(columns().begin(), columns().end(), column);
  if (found == columns().end())
    throw Error(
        "{} has no column \"{}\"; it has: {}", file_, column,
        io::excerpt(fmt::format("{}", fmt::join(nearest_first(column, columns()), ", ")), 1000));
  return static_cast<size_t>(found - columns().begin());
}

bool Table::is_missing(std::string_view cell) const {
  if (!cell.empty() && !begins_missing_[static_cast<unsigned char>(cell.front())]) return false;
  return std::find(options_.missing.begin(), options_.missing.end(), cell) !=
         options_.missing.end();
}

Tensor Table::numbers(std::string_view column) const {
  return matrix({std::string(column)}).squeeze(1);
}

Tensor Table::matrix(const std::vector<std::string>& columns) const {
  if (columns.empty()) throw Error("{}: matrix() was asked for no column", file_);
  std::vector<size_t> indices;
  for (const std::string& column : columns) indices.push_back(index_of(column));
  Tensor result = torch::empty({rows_, std::ssize(columns)}, torch::kFloat64);
  double* out = result.data_ptr<double>();
  for (io::CsvReader row = reader(marks_.front()); next_row(row);)
    for (const size_t index : indices) {
      const std::string_view cell = row.cells()[index];
      if (is_missing(cell)) {
        *out = std::numeric_limits<double>::quiet_NaN();
      } else if (!io::parse_number(cell, *out)) {
        throw Error(
            "{} (\"{}\"): \"{}\" is not a number. If it stands for a missing value, list it in "
            "Table::Options::missing",
            row.where(index), this->columns()[index], io::excerpt(cell));
      }
      ++out;
    }
  return result;
}

std::vector<std::vector<std::string>> Table::text_columns(
    const std::vector<std::string>& columns) const {
  std::vector<size_t> indices;
  for (const std::string& column : columns) indices.push_back(index_of(column));
  std::vector<std::vector<std::string>> result(columns.size());
  for (auto& column : result) column.reserve(static_cast<size_t>(rows_));
  for (io::CsvReader row = reader(marks_.front()); next_row(row);)
    for (size_t i = 0; i < indices.size(); ++i) {
      const std::string_view cell = row.cells()[indices[i]];
      result[i].emplace_back(is_missing(cell) ? std::string_view() : cell);
    }
  return result;
}

}  // namespace mtl
