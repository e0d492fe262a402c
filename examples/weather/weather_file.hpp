#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "weather_data.hpp"

// One file each, before they are joined.

namespace weather {

enum Element { temp, rh, atm, sunlight, precipitation, sky, element_count };
inline constexpr size_t number_count = sky;  // all but the sky are numbers

/// What users call an element: the plain file's column name.
std::string_view name_of(size_t element);

struct Observation {
  Date date;
  int64_t line = 0;
  std::array<double, number_count> numbers{};  // NaN: missing
  std::string weather;                         // as written; empty: missing
};

struct WeatherFile {
  std::string file;
  std::string station;
  std::array<bool, element_count> has{};
  std::array<size_t, element_count> column{};  // of each element that it has
  std::vector<Observation> days;               // dates ascend
  std::vector<std::string> warnings;
};

struct CsvRow {
  int64_t line;
  std::vector<std::string> cells;

  bool blank() const { return cells.size() == 1 && cells.front().empty(); }
};

/// The cells of a file, before they have a meaning.
struct Csv {
  std::string file;
  std::vector<CsvRow> rows;
  bool ends_with_newline = true;

  /// "FILE, line 12, column 3"; `column` counts from 0.
  std::string where(const CsvRow& row, size_t column) const;
};
Csv read_csv(const std::filesystem::path& path);

bool is_agency_file(const Csv& csv);
WeatherFile read_agency_file(const Csv& csv);

bool is_plain_file(const Csv& csv);
WeatherFile read_plain_file(const Csv& csv);

// What both kinds of file share. `where` is what an error begins with: file, line and column.

/// Throws mtl::Error unless the day exists.
Date checked_date(int64_t year, int64_t month, int64_t day, const std::string& where);
/// Throws mtl::Error unless the cell is a number that the element can take.
double checked_number(const std::string& cell, size_t element, const std::string& where);
/// Throws mtl::Error where nothing stands before the first separator.
std::string checked_weather(const std::string& cell, const std::string& where);
/// Throws mtl::Error where the day does not come after the last one of `file`.
void append(WeatherFile& file, Observation day, const std::string& where);
/// Throws mtl::Error unless the row has `cells` cells.
void check_width(const Csv& csv, const CsvRow& row, size_t cells);

}  // namespace weather
