#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Daily weather observations from files, without any network or tensor in sight: what comes out is
// plain columns.

namespace weather {

using Date = std::chrono::sys_days;

std::string to_text(Date date);  // 2013-10-20

/// What the files hold, one entry a day in every vector.
struct WeatherDays {
  std::vector<Date> dates;  ///< ascending; a day without a row in any file is not there
  // NaN where there is no value.
  std::vector<double> temp;           ///< mean air temperature, degrees Celsius
  std::vector<double> rh;             ///< mean relative humidity, per cent
  std::vector<double> atm;            ///< mean station-level pressure, hPa
  std::vector<double> sunlight;       ///< hours of sunshine
  std::vector<double> precipitation;  ///< total, mm; 0 where none fell
  /// First term of the daytime weather: 曇 for 曇一時晴. Empty where there is none.
  std::vector<std::string> weather;
  /// The same as written, 曇一時晴.
  std::vector<std::string> whole_weather;
  std::string station;                ///< empty for plain files, which do not say
  std::vector<std::string> warnings;  ///< one sentence each, for the user to read

  int64_t size() const { return static_cast<int64_t>(dates.size()); }
};

/// Reads one file or several of the same station and joins them by date; the order of the files
/// does not matter. Each is either
///  - the Japan Meteorological Agency's own CSV download of daily values (CP932 or UTF-8; any set
///    of elements in any order, so that files may also add columns to each other), or
///  - a plain CSV with the columns year, month, day and any of temp, rh, atm, sunlight,
///    precipitation, weather, in any order (UTF-8 or CP932).
/// Together they must hold all six. Days in two files must agree.
///
/// Of the agency's quality numbers 8 and 5 are values, 4 and 2 values that a warning counts, 1 and
/// 0 missing, as an empty cell is. Warnings also tell of missing values, of days without a row, of
/// a homogeneity number that changes (the station was moved, or its instrument changed), and of a
/// file that ends in the middle of a line.
///
/// Throws mtl::Error with file, line and column for anything else: a file that is empty, cut off or
/// in neither format, a cell that is no number or impossible (humidity 920), a date that does not
/// exist, is repeated, or comes before the one above it.
WeatherDays read_weather(std::span<const std::filesystem::path> files);

/// The term up to the first of 時々 一時 後 、 (also 後一時 and 後時々), which is the whole where
/// there is none.
std::string first_term(std::string_view weather);

/// Days since 1970-01-01: positions between which a gap shows.
std::vector<int64_t> day_numbers(const WeatherDays& days);

/// Inputs for a model: missing numbers are replaced by the last value before them. Days before the
/// first one on which every number is known are left out, and a warning says how many. Labels are
/// not touched: read targets from `weather` and from the unfilled columns.
struct FilledDays {
  int64_t first = 0;  ///< index of the first day that is kept
  // One entry a kept day: day i here is day first + i of the WeatherDays.
  std::vector<double> temp, rh, atm, sunlight, precipitation;
  std::vector<std::string> warnings;
};
/// Throws mtl::Error where a column has no value at all.
FilledDays fill_from_earlier(const WeatherDays& days);

}  // namespace weather
