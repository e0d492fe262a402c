// A plain CSV: year,month,day,temp,rh,atm,sunlight,precipitation,weather in any order, with a line
// of names.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "mtl/core/error.hpp"
#include "mtl/io/csv.hpp"
#include "weather_file.hpp"

namespace weather {
namespace {

constexpr std::array<std::string_view, 3> date_names = {"year", "month", "day"};

std::string trimmed(const std::string& cell) {
  const size_t first = cell.find_first_not_of(" \t");
  if (first == std::string::npos) return {};
  return cell.substr(first, cell.find_last_not_of(" \t") - first + 1);
}

bool is_missing(const std::string& cell) {
  return cell.empty() || cell == "NA" || cell == "NaN" || cell == "nan" || cell == "null";
}

const CsvRow* first_row(const Csv& csv) {
  for (const CsvRow& row : csv.rows) {
    if (!row.blank()) return &row;
  }
  return nullptr;
}

std::map<std::string, size_t, std::less<>> columns_by_name(const Csv& csv, const CsvRow& header) {
  std::map<std::string, size_t, std::less<>> columns;
  for (size_t i = 0; i < header.cells.size(); ++i) {
    const std::string name = trimmed(header.cells[i]);
    if (!columns.emplace(name, i).second) {
      throw mtl::Error("{}: the column name \"{}\" occurs twice.", csv.where(header, i), name);
    }
  }
  return columns;
}

int64_t whole_number(const std::string& cell, const std::string& where) {
  double number = 0;
  // pandas writes whole years as 2013.0 once a cell of the column was missing
  if (!mtl::io::parse_number(cell, number) || number != std::trunc(number) ||
      std::abs(number) > 1e9) {
    throw mtl::Error("{}: \"{}\" is not a whole number.", where, cell);
  }
  return static_cast<int64_t>(number);
}

}  // namespace

bool is_plain_file(const Csv& csv) {
  const CsvRow* header = first_row(csv);
  return header != nullptr &&
         std::any_of(header->cells.begin(), header->cells.end(), [](const std::string& cell) {
           const std::string name = trimmed(cell);
           return std::find(date_names.begin(), date_names.end(), name) != date_names.end();
         });
}

WeatherFile read_plain_file(const Csv& csv) {
  WeatherFile result;
  result.file = csv.file;
  const CsvRow& header = *first_row(csv);
  const auto columns = columns_by_name(csv, header);
  std::array<size_t, 3> date_columns{};
  for (size_t i = 0; i < date_names.size(); ++i) {
    const auto found = columns.find(date_names[i]);
    if (found == columns.end()) {
      throw mtl::Error("{}, line {}: there is no column \"{}\".", csv.file, header.line,
                       date_names[i]);
    }
    date_columns[i] = found->second;
  }
  for (size_t element = 0; element < element_count; ++element) {
    const auto found = columns.find(name_of(element));
    if (found == columns.end()) continue;
    result.has[element] = true;
    result.column[element] = found->second;
  }

  for (const CsvRow* row = &header + 1; row <= &csv.rows.back(); ++row) {
    if (row->blank()) continue;
    check_width(csv, *row, header.cells.size());
    const auto where = [&](size_t column) {
      return fmt::format("{} ({})", csv.where(*row, column), trimmed(header.cells[column]));
    };
    std::array<int64_t, 3> date{};
    for (size_t i = 0; i < date.size(); ++i) {
      date[i] = whole_number(row->cells[date_columns[i]], where(date_columns[i]));
    }
    Observation day{.date = checked_date(date[0], date[1], date[2], where(date_columns[2])),
                    .line = row->line,
                    .numbers = {},
                    .weather = {}};
    day.numbers.fill(std::numeric_limits<double>::quiet_NaN());
    for (size_t element = 0; element < element_count; ++element) {
      if (!result.has[element]) continue;
      const size_t column = result.column[element];
      const std::string cell = trimmed(row->cells[column]);
      if (is_missing(cell)) continue;
      if (element == sky) {
        day.weather = checked_weather(cell, where(column));
      } else {
        day.numbers[element] = checked_number(cell, element, where(column));
      }
    }
    append(result, std::move(day), where(date_columns[0]));
  }
  if (result.days.empty()) {
    throw mtl::Error("{} has column names but no day.", csv.file);
  }
  return result;
}

}  // namespace weather
