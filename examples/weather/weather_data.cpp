#include "weather_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "mtl/core/error.hpp"
#include "weather_file.hpp"

namespace weather {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

WeatherFile read_file(const std::filesystem::path& path) {
  const Csv csv = read_csv(path);
  const bool empty = std::all_of(csv.rows.begin(), csv.rows.end(),
                                 [](const CsvRow& row) { return row.blank(); });
  if (empty) throw mtl::Error("{} is empty. Fetch it again.", csv.file);
  if (!is_agency_file(csv) && !is_plain_file(csv)) {
    throw mtl::Error(
        "{}, line {}, column 1: neither the agency's CSV of daily values (年月日) nor a "
        "plain one (year,month,day,...) begins like this.",
        csv.file, csv.rows.front().line);
  }
  WeatherFile file = is_agency_file(csv) ? read_agency_file(csv) : read_plain_file(csv);
  if (!csv.ends_with_newline) {
    file.warnings.push_back(
        fmt::format("{}, line {}: the last line does not end with a line end. "
                    "The file may have been cut off.",
                    csv.file, csv.rows.back().line));
  }
  return file;
}

/// A day while files are joined: its values and where each was read.
struct JoinedDay {
  Observation values;
  std::array<const WeatherFile*, element_count> from{};
  std::array<int64_t, element_count> line{};
};

bool same(const Observation& a, const Observation& b, size_t element) {
  if (element == sky) return a.weather == b.weather;
  const double x = a.numbers[element], y = b.numbers[element];
  return x == y || (std::isnan(x) && std::isnan(y));
}

std::string value_text(const Observation& day, size_t element) {
  if (element == sky) return day.weather.empty() ? "nothing" : day.weather;
  const double number = day.numbers[element];
  return std::isnan(number) ? "nothing" : fmt::format("{}", number);
}

/// Puts what `file` says of a day into `joined`; true where something was there already.
bool join(JoinedDay& joined, const Observation& day, const WeatherFile& file) {
  bool known = false;
  for (size_t element = 0; element < element_count; ++element) {
    if (!file.has[element]) continue;
    if (const WeatherFile* other = joined.from[element]; other != nullptr) {
      known = true;
      if (!same(joined.values, day, element)) {
        throw mtl::Error(
            "{}, line {}, column {}: {} of {} is {}, but {}, line {}, column {} has "
            "{}. Leave out one of the files, or the days they share.",
            file.file, day.line, file.column[element] + 1, name_of(element), to_text(day.date),
            value_text(day, element), other->file, joined.line[element], other->column[element] + 1,
            value_text(joined.values, element));
      }
      continue;
    }
    joined.from[element] = &file;
    joined.line[element] = day.line;
    if (element == sky) {
      joined.values.weather = day.weather;
    } else {
      joined.values.numbers[element] = day.numbers[element];
    }
  }
  return known;
}

void check_station(const std::vector<WeatherFile>& files, std::string& station) {
  const WeatherFile* named = nullptr;
  for (const WeatherFile& file : files) {
    if (file.station.empty()) continue;
    if (named != nullptr && named->station != file.station) {
      throw mtl::Error("{} is of {}, but {} is of {}. Give files of one station.", file.file,
                       file.station, named->file, named->station);
    }
    named = &file;
    station = file.station;
  }
}

void check_elements(const std::vector<WeatherFile>& files) {
  for (size_t element = 0; element < element_count; ++element) {
    if (std::any_of(files.begin(), files.end(),
                    [&](const WeatherFile& file) { return file.has[element]; })) {
      continue;
    }
    constexpr std::array<std::string_view, element_count> names = {
        "平均気温", "平均湿度", "平均現地気圧", "日照時間", "降水量の合計", "天気概況(昼)"};
    std::string list;
    for (const WeatherFile& file : files) list += (list.empty() ? "" : ", ") + file.file;
    throw mtl::Error(
        "{}: there is no column {} ({}). Download it too, and give its file beside "
        "this.",
        list, name_of(element), names[element]);
  }
}

void warn_of_gaps(WeatherDays& days) {
  constexpr int64_t shown = 3;
  int64_t gaps = 0, absent = 0;
  std::string list;
  for (size_t i = 1; i < days.dates.size(); ++i) {
    const int64_t between = (days.dates[i] - days.dates[i - 1]).count() - 1;
    if (between == 0) continue;
    absent += between;
    if (++gaps > shown) continue;
    const std::string first = to_text(days.dates[i - 1] + std::chrono::days(1));
    const std::string last = to_text(days.dates[i] - std::chrono::days(1));
    if (!list.empty()) list += ", ";
    list += first == last ? first : fmt::format("{} to {}", first, last);
  }
  if (gaps == 0) return;
  if (gaps > shown) list += fmt::format(" and {} more gaps", gaps - shown);
  days.warnings.push_back(fmt::format("Days without a row between {1} and {2}: {0} ({3}).", absent,
                                      to_text(days.dates.front()), to_text(days.dates.back()),
                                      list));
}

void warn_of_missing(WeatherDays& days) {
  for (size_t element = 0; element < element_count; ++element) {
    const std::array columns = {&days.temp, &days.rh, &days.atm, &days.sunlight,
                                &days.precipitation};
    int64_t count = 0, first = 0;
    for (int64_t i = days.size() - 1; i >= 0; --i) {
      const auto day = static_cast<size_t>(i);
      const bool absent =
          element == sky ? days.weather[day].empty() : std::isnan((*columns[element])[day]);
      if (!absent) continue;
      ++count;
      first = i;
    }
    if (count == days.size()) {
      throw mtl::Error(
          "{} has no value on any of the {} days. Choose another station or other "
          "years.",
          name_of(element), count);
    }
    if (count != 0) {
      days.warnings.push_back(fmt::format("{} is missing on {} of {} days, first on {}.",
                                          name_of(element), count, days.size(),
                                          to_text(days.dates[static_cast<size_t>(first)])));
    }
  }
}

}  // namespace

std::string to_text(Date date) {
  const std::chrono::year_month_day day(date);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

WeatherDays read_weather(std::span<const std::filesystem::path> files) {
  if (files.empty()) throw mtl::Error("read_weather: no file was given.");
  std::vector<WeatherFile> read;
  for (const auto& path : files) read.push_back(read_file(path));

  WeatherDays days;
  check_station(read, days.station);
  check_elements(read);
  std::map<Date, JoinedDay> joined;
  int64_t shared = 0;
  for (const WeatherFile& file : read) {
    days.warnings.insert(days.warnings.end(), file.warnings.begin(), file.warnings.end());
    for (const Observation& day : file.days) {
      const auto [place, is_new] = joined.try_emplace(day.date);
      if (is_new) place->second.values.numbers.fill(missing);
      if (join(place->second, day, file)) ++shared;
    }
  }
  if (shared != 0) {
    days.warnings.push_back(
        fmt::format("Days that stand in more than one file, with the same values: {}.", shared));
  }
  for (const auto& [date, day] : joined) {
    days.dates.push_back(date);
    days.temp.push_back(day.values.numbers[temp]);
    days.rh.push_back(day.values.numbers[rh]);
    days.atm.push_back(day.values.numbers[atm]);
    days.sunlight.push_back(day.values.numbers[sunlight]);
    days.precipitation.push_back(day.values.numbers[precipitation]);
    days.weather.push_back(first_term(day.values.weather));
    days.whole_weather.push_back(day.values.weather);
  }
  warn_of_gaps(days);
  warn_of_missing(days);
  return days;
}

std::vector<int64_t> day_numbers(const WeatherDays& days) {
  std::vector<int64_t> numbers;
  numbers.reserve(days.dates.size());
  for (const Date date : days.dates) numbers.push_back(date.time_since_epoch().count());
  return numbers;
}

FilledDays fill_from_earlier(const WeatherDays& days) {
  FilledDays filled;
  const std::array from = {&days.temp, &days.rh, &days.atm, &days.sunlight, &days.precipitation};
  const std::array to = {&filled.temp, &filled.rh, &filled.atm, &filled.sunlight,
                         &filled.precipitation};
  size_t first = 0;
  for (size_t element = 0; element < number_count; ++element) {
    const std::vector<double>& column = *from[element];
    const auto known =
        std::find_if(column.begin(), column.end(), [](double value) { return !std::isnan(value); });
    if (known == column.end()) {
      throw mtl::Error("{} has no value on any of the {} days.", name_of(element), days.size());
    }
    first = std::max(first, static_cast<size_t>(known - column.begin()));
  }
  if (first != 0) {
    filled.warnings.push_back(fmt::format(
        "The days before {} are left out ({}): a value is missing and there is no earlier one "
        "to take its place.",
        to_text(days.dates[first]), first));
  }
  filled.first = static_cast<int64_t>(first);
  for (size_t element = 0; element < number_count; ++element) {
    double last = missing;
    int64_t run = 0, longest = 0;
    for (size_t day = 0; day < days.dates.size(); ++day) {
      const double value = (*from[element])[day];
      run = std::isnan(value) ? run + 1 : 0;
      if (run == 0) last = value;
      if (day < first) continue;
      longest = std::max(longest, run);
      to[element]->push_back(last);
    }
    constexpr int64_t a_week = 7;
    if (longest > a_week) {
      filled.warnings.push_back(
          fmt::format("{} is missing on up to {} days in a row; the last "
                      "value before them stands for all.",
                      name_of(element), longest));
    }
  }
  return filled;
}

}  // namespace weather
