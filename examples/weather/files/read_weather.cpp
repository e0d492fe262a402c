#include "files/read_weather.hpp"

#include <fmt/format.h>

#include <map>

#include "files/daily_file.hpp"

namespace weather {
namespace {

/// A value as DailyRow has it, and where it stands; nowhere: no file has it.
struct Cell {
  std::string value, where;
};
using Joined = std::map<Date, std::array<Cell, element_count>>;

std::string joined_station(const std::vector<DailyFile>& files) {
  const DailyFile* named = nullptr;
  for (const DailyFile& file : files) {
    const std::string& station = file.layout.station;
    if (station.empty()) continue;
    if (named != nullptr && named->layout.station != station)
      throw mtl::Error("{} is of {}, but {} is of {}. Give files of one station", file.name,
                       station, named->name, named->layout.station);
    named = &file;
  }
  return named == nullptr ? "" : named->layout.station;
}

void check_elements(const std::vector<DailyFile>& files) {
  std::string list;
  for (const DailyFile& file : files) list += (list.empty() ? "" : ", ") + file.name;
  for (size_t element = 0; element < element_count; ++element) {
    if (std::none_of(files.begin(), files.end(), [&](const DailyFile& file) {
          return file.layout.elements[element].value.has_value();
        }))
      throw mtl::Error(
          "{}: there is no column {} ({}). Download it too, and give its file beside this", list,
          name_of(element), agency_name_of(element));
  }
}

Joined join(const std::vector<DailyFile>& files, std::vector<std::string>& warnings) {
  Joined joined;
  const auto shown = [](const Cell& cell) { return cell.value.empty() ? "nothing" : cell.value; };
  int64_t shared = 0;
  for (const DailyFile& file : files) {
    for (const DailyRow& row : file.rows) {
      auto& day = joined[row.date];
      bool known = false;
      for (size_t element = 0; element < element_count; ++element) {
        const std::optional<size_t> column = file.layout.elements[element].value;
        if (!column) continue;
        const Cell here{row.values[element],
                        fmt::format("{}, line {}, column {}", file.name, row.line, *column + 1)};
        Cell& there = day[element];
        known = known || !there.where.empty();
        if (there.where.empty())
          there = here;
        else if (here.value != there.value)
          throw mtl::Error(
              "{}: {} of {} is {}, but {} has {}. Leave out one of the files, or the days they "
              "share",
              here.where, name_of(element), to_text(row.date), shown(here), there.where,
              shown(there));
      }
      if (known) ++shared;
    }
  }
  if (shared != 0)
    warnings.push_back(
        fmt::format("Days that stand in more than one file, with the same values: {}.", shared));
  return joined;
}

void warn_of_gaps(const std::vector<Date>& dates, std::vector<std::string>& warnings) {
  constexpr int64_t shown = 3;
  int64_t gaps = 0, absent = 0;
  std::string list;
  for (size_t i = 1; i < dates.size(); ++i) {
    const Date first = dates[i - 1] + std::chrono::days(1), last = dates[i] - std::chrono::days(1);
    if (first > last) continue;
    absent += (last - first).count() + 1;
    if (++gaps > shown) continue;
    list += (gaps == 1 ? "" : ", ") + to_text(first);
    if (first != last) list += " to " + to_text(last);
  }
  if (gaps == 0) return;
  if (gaps > shown) list += fmt::format(" and {} more gaps", gaps - shown);
  warnings.push_back(fmt::format("Days without a row between {} and {}: {} ({}).",
                                 to_text(dates.front()), to_text(dates.back()), absent, list));
}

void warn_of_missing(const Joined& days, std::vector<std::string>& warnings) {
  for (size_t element = 0; element < element_count; ++element) {
    const auto is_missing = [&](const auto& day) { return day.second[element].value.empty(); };
    const auto count = static_cast<size_t>(std::count_if(days.begin(), days.end(), is_missing));
    if (count == days.size())
      throw mtl::Error(
          "{} has no value on any of the {} days. Choose another station or other years",
          name_of(element), count);
    if (count != 0)
      warnings.push_back(fmt::format(
          "{} is missing on {} of {} days, first on {}.", name_of(element), count, days.size(),
          to_text(std::find_if(days.begin(), days.end(), is_missing)->first)));
  }
}

/// Fills the numbers, and leaves out the first days where that is not possible.
Days filled(Days days, std::vector<std::string>& warnings) {
  days.filled = mtl::fill_from_earlier(days.observed);
  const auto first = days.filled.isnan().any(1).sum().item<int64_t>();
  if (first != 0)
    warnings.push_back(fmt::format(
        "The days before {} are left out ({}): a value is missing and there is no earlier one to "
        "take its place.",
        to_text(days.dates[static_cast<size_t>(first)]), first));
  // How many days ago each value was observed.
  const Tensor row = torch::arange(days.size(), torch::kFloat64).unsqueeze(1);
  const Tensor age =
      row - mtl::fill_from_earlier(torch::where(days.observed.isnan(), days.observed, row));
  const Tensor longest = age.slice(0, first).amax(0);
  for (size_t element = 0; element < number_count; ++element) {
    constexpr int64_t a_week = 7;
    const auto missing = longest[static_cast<int64_t>(element)].item<int64_t>();
    if (missing > a_week)
      warnings.push_back(fmt::format(
          "{} is missing on up to {} days in a row; the last value before them stands for all.",
          name_of(element), missing));
  }
  return days.part(first, days.size());
}

}  // namespace

WeatherFiles read_weather(std::span<const std::filesystem::path> files) {
  if (files.empty()) throw mtl::Error("read_weather: no file was given");
  WeatherFiles result;
  std::vector<DailyFile> read;
  for (const auto& path : files) {
    read.push_back(read_daily_file(path));
    for (const std::string& warning : read.back().warnings) result.warnings.push_back(warning);
  }
  result.station = joined_station(read);
  check_elements(read);
  const Joined joined = join(read, result.warnings);

  Days& days = result.days;
  days.observed = torch::full({std::ssize(joined), number_count}, NAN, torch::kFloat64);
  auto observed = days.observed.accessor<double, 2>();
  for (const auto& [date, cells] : joined) {
    for (size_t element = 0; element < number_count; ++element)
      mtl::io::parse_number(cells[element].value,
                            observed[days.size()][static_cast<int64_t>(element)]);
    days.weather.push_back(cells[sky].value);
    days.dates.push_back(date);
  }
  warn_of_gaps(days.dates, result.warnings);
  warn_of_missing(joined, result.warnings);
  days = filled(std::move(days), result.warnings);
  return result;
}

}  // namespace weather
