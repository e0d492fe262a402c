#include "mtl/data/table.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "mtl/core/error.hpp"

namespace mtl {

Table Table::read(const std::filesystem::path& path, TableOptions options) {
  Csv csv = read_csv(path, options.separator, options.encoding);
  return Table(std::move(csv), std::move(options));
}

Table Table::parse(std::string_view text, std::string_view file, TableOptions options) {
  Csv csv = parse_csv(text, file, options.separator);
  return Table(std::move(csv), std::move(options));
}

Table::Table(Csv csv, TableOptions options)
    : csv_(std::move(csv)),
      missing_(std::move(options.missing)),
      columns_(std::move(options.columns)) {
  std::erase_if(csv_.rows, [](const CsvRow& row) { return row.blank(); });
  if (columns_.empty()) {
    if (csv_.rows.empty()) {
      throw Error("{} is empty; a line of column names was expected.", csv_.file);
    }
    columns_ = csv_.rows.front().cells;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string where = csv_.where(csv_.rows.front(), i);
      if (columns_[i].empty()) throw Error("{}: the column has no name.", where);
      if (std::find(columns_.begin(), columns_.begin() + static_cast<std::ptrdiff_t>(i),
                    columns_[i]) != columns_.begin() + static_cast<std::ptrdiff_t>(i)) {
        throw Error("{}: the column name \"{}\" occurs twice.", where, columns_[i]);
      }
    }
    csv_.rows.erase(csv_.rows.begin());
  }
  if (csv_.rows.empty()) throw Error("{} has no row of data.", csv_.file);
  for (const CsvRow& row : csv_.rows) {
    if (row.cells.size() != columns_.size()) {
      throw Error("{}, line {}: {} cells where there are {} columns.", csv_.file, row.line,
                  row.cells.size(), columns_.size());
    }
  }
}

bool Table::has(std::string_view column) const {
  return std::find(columns_.begin(), columns_.end(), column) != columns_.end();
}

size_t Table::index_of(std::string_view column) const {
  const auto found = std::find(columns_.begin(), columns_.end(), column);
  if (found == columns_.end()) {
    throw Error("{} has no column \"{}\"; it has: {}.", csv_.file, column,
                fmt::join(columns_, ", "));
  }
  return static_cast<size_t>(found - columns_.begin());
}

bool Table::is_missing(std::string_view cell) const {
  return std::find(missing_.begin(), missing_.end(), cell) != missing_.end();
}

Tensor Table::numbers(std::string_view column) const {
  const size_t index = index_of(column);
  Tensor result = torch::empty({rows()}, torch::kFloat64);
  double* out = result.data_ptr<double>();
  for (const CsvRow& row : csv_.rows) {
    const std::string& cell = row.cells[index];
    if (is_missing(cell)) {
      *out = std::numeric_limits<double>::quiet_NaN();
    } else if (!parse_number(cell, *out)) {
      throw Error(
          "{} (\"{}\"): \"{}\" is not a number. If it stands for a missing value, list it "
          "in TableOptions::missing.",
          csv_.where(row, index), column, cell);
    }
    ++out;
  }
  return result;
}

Tensor Table::matrix(const std::vector<std::string>& columns) const {
  if (columns.empty()) throw Error("{}: matrix() was asked for no column.", csv_.file);
  std::vector<Tensor> parts;
  parts.reserve(columns.size());
  for (const std::string& column : columns) parts.push_back(numbers(column));
  return torch::stack(parts, 1);
}

std::vector<std::string> Table::texts(std::string_view column) const {
  const size_t index = index_of(column);
  std::vector<std::string> result;
  result.reserve(csv_.rows.size());
  for (const CsvRow& row : csv_.rows) {
    const std::string& cell = row.cells[index];
    result.push_back(is_missing(cell) ? std::string() : cell);
  }
  return result;
}

}  // namespace mtl
