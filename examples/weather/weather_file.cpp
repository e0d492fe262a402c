#include "weather_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "mtl/core/error.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/text_encoding.hpp"

namespace weather {
namespace {

struct Range {
  double low, high;
  std::string_view unit;
};

// What the instruments of the agency's stations can have measured, mountains and records included:
// beyond it a cell is damaged or stands in the wrong column.
constexpr std::array<Range, number_count> ranges = {{{-60, 60, "degrees Celsius"},
                                                     {0, 100, "per cent"},
                                                     {500, 1100, "hPa"},
                                                     {0, 24, "hours"},
                                                     {0, 3000, "mm"}}};

}  // namespace

std::string_view name_of(size_t element) {
  constexpr std::array<std::string_view, element_count> names = {
      "temp", "rh", "atm", "sunlight", "precipitation", "weather"};
  return names.at(element);
}

std::string Csv::where(const CsvRow& row, size_t column) const {
  return fmt::format("{}, line {}, column {}", file, row.line, column + 1);
}

Csv read_csv(const std::filesystem::path& path) {
  const std::string text = mtl::io::read_text(path);
  Csv csv{.file = path.string(), .rows = {}, .ends_with_newline = text.ends_with('\n')};
  for (mtl::io::CsvReader row(text, csv.file); row.next();)
    csv.rows.push_back({row.line(), {row.cells().begin(), row.cells().end()}});
  return csv;
}

Date checked_date(int64_t year, int64_t month, int64_t day, const std::string& where) {
  const bool fits = year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
  const std::chrono::year_month_day date{
      std::chrono::year(static_cast<int>(fits ? year : 0)),
      std::chrono::month(static_cast<unsigned>(fits ? month : 0)),
      std::chrono::day(static_cast<unsigned>(fits ? day : 0))};
  if (!date.ok()) throw mtl::Error("{}: there is no day {}/{}/{}.", where, year, month, day);
  return date;
}

double checked_number(const std::string& cell, size_t element, const std::string& where) {
  double number = 0;
  if (!mtl::io::parse_number(cell, number)) {
    throw mtl::Error("{}: \"{}\" is not a number.", where, cell);
  }
  const Range& range = ranges.at(element);
  if (number < range.low || number > range.high) {
    throw mtl::Error(
        "{}: {} {} is outside of what {} can be, {} to {}. The cell is damaged, or in "
        "the wrong column.",
        where, number, range.unit, name_of(element), range.low, range.high);
  }
  return number;
}

std::string checked_weather(const std::string& cell, const std::string& where) {
  if (first_term(cell).empty()) {
    throw mtl::Error("{}: \"{}\" does not begin with a weather.", where, cell);
  }
  return cell;
}

void append(WeatherFile& file, Observation day, const std::string& where) {
  if (!file.days.empty()) {
    const Observation& last = file.days.back();
    if (day.date == last.date) {
      throw mtl::Error("{}: {} stands in line {} already. Remove one of them.", where,
                       to_text(day.date), last.line);
    }
    if (day.date < last.date) {
      throw mtl::Error(
          "{}: {} comes after {} of line {}. The rows are out of order: sort them by "
          "date.",
          where, to_text(day.date), to_text(last.date), last.line);
    }
  }
  file.days.push_back(std::move(day));
}

void check_width(const Csv& csv, const CsvRow& row, size_t cells) {
  if (row.cells.size() == cells) return;
  const bool last = &row == &csv.rows.back();
  throw mtl::Error("{}: the line has {} cells where the column names have {}. {}",
                   csv.where(row, std::min(row.cells.size(), cells) - 1), row.cells.size(), cells,
                   last ? "The file was cut off; fetch it again." : "The line is damaged.");
}

std::string first_term(std::string_view weather) {
  size_t end = weather.size();
  for (const std::string_view separator : {"時々", "一時", "後", "、"}) {
    end = std::min(end, weather.find(separator));
  }
  return std::string(weather.substr(0, end));
}

}  // namespace weather
