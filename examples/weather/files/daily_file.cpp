#include "files/daily_file.hpp"

#include <fmt/format.h>

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

/// False: the cell holds something else.
bool read_whole_number(const std::string& cell, int64_t& whole) {
  double number = 0;
  // pandas writes whole years as 2013.0 once a cell of the column was missing
  if (!mtl::io::parse_number(cell, number) || number != std::trunc(number) ||
      std::abs(number) > 1e9)
    return false;
  whole = static_cast<int64_t>(number);
  return true;
}

/// What flags have told of an element so far.
struct Told {
  int64_t few_data = 0, doubtful = 0, unsure_line = 0;  // values of quality 4, 2, and the first
  std::string homogeneity = {};                         // number in the last row
  int64_t changes = 0, changed_line = 0;
};

class DailyFileReader {
 public:
  DailyFileReader(const Csv& csv, Layout layout) : csv_(csv), file_{csv.file, std::move(layout)} {}

  DailyFile read() {
    for (size_t row = layout_.first_day; row < csv_.rows.size(); ++row) read_day(csv_.rows[row]);
    if (file_.rows.empty())
      throw mtl::Error("{} has column names but no day. Fetch it again", csv_.file);
    for (size_t element = 0; element < element_count; ++element) warn_of(element);
    if (!csv_.ends_with_newline)
      file_.warnings.push_back(fmt::format(
          "{}, line {}: the last line does not end with a line end. The file may have been cut "
          "off.",
          csv_.file, csv_.rows.back().line));
    return std::move(file_);
  }

 private:
  void read_day(const Csv::Row& row) {
    csv_.check_width(row, csv_.rows[layout_.names]);
    DailyRow day{.date = date(row), .line = row.line};
    if (const DailyRow* last = file_.rows.empty() ? nullptr : &file_.rows.back()) {
      if (day.date == last->date)
        fail(row, layout_.date[0], "{} stands in line {} already. Remove one of them",
             to_text(day.date), last->line);
      if (day.date < last->date)
        fail(row, layout_.date[0],
             "{} comes after {} of line {}. The rows are out of order: sort them by date",
             to_text(day.date), to_text(last->date), last->line);
    }
    for (size_t element = 0; element < element_count; ++element) {
      const Layout::Columns& columns = layout_.elements[element];
      if (!columns.value) continue;
      if (columns.homogeneity) watch_homogeneity(row, element);
      if (!is_value(row, element)) continue;
      day.values[element] =
          element == sky ? checked_weather(row, columns) : checked_number(row, element);
      if (columns.phenomenon && element != sky)
        check_phenomenon(row, *columns.phenomenon, day.values[element]);
    }
    file_.rows.push_back(std::move(day));
  }

  std::string checked_weather(const Csv::Row& row, const Layout::Columns& columns) const {
    const std::string& cell = row.cells[*columns.value];
    // The agency's signs such as /// and × are no weather, which is written in kanji and kana.
    if (columns.quality && static_cast<unsigned char>(cell.front()) < 0x80)
      fail(row, *columns.value, "\"{}\" is not a weather", cell);
    if (first_term(cell).empty())
      fail(row, *columns.value, "\"{}\" does not begin with a weather", cell);
    return cell;
  }

  std::string checked_number(const Csv::Row& row, size_t element) const {
    const size_t column = *layout_.elements[element].value;
    double number = 0;
    if (!mtl::io::parse_number(row.cells[column], number))
      fail(row, column, "\"{}\" is not a number", row.cells[column]);
    const auto& [low, high, unit] = ranges.at(element);
    if (number < low || number > high)
      fail(row, column,
           "{} {} is outside of what {} can be, {} to {}. The cell is damaged, or in the wrong "
           "column",
           number, unit, name_of(element), low, high);
    return fmt::format("{}", number + 0.0);  // -0 is 0
  }

  Date date(const Csv::Row& row) const {
    const bool in_one_cell = layout_.date.size() == 1;
    std::array<int64_t, 3> numbers{};
    for (size_t i = 0, begin = 0; i < numbers.size(); ++i) {
      const size_t column = layout_.date[in_one_cell ? 0 : i];
      const std::string& cell = row.cells[column];
      const size_t end = in_one_cell && i < 2 ? cell.find_first_of("/-", begin) : cell.size();
      if (end <= cell.size() && read_whole_number(cell.substr(begin, end - begin), numbers[i])) {
        begin = in_one_cell ? end + 1 : 0;
        continue;
      }
      fail(row, column, "\"{}\" is not a {}", row.cells[column],
           in_one_cell ? "date such as 2013/10/20. Daily values are needed" : "whole number");
    }
    const auto [year, month, day] = numbers;
    const auto in = [](int64_t number, int64_t last) { return number >= 1 && number <= last; };
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!in(year, 9999) || !in(month, 12) || !in(day, 31) || !date.ok())
      fail(row, layout_.date.back(), "there is no day {}/{}/{}", year, month, day);
    return date;
  }

  /// 8 (normal) and 5 (nearly complete) are values; 4 (from too few data) and 2 (doubtful) are used
  /// and counted; 1 (missing) and 0 (not observed) are none.
  bool is_value(const Csv::Row& row, size_t element) {
    const Layout::Columns& columns = layout_.elements[element];
    const std::string& cell = row.cells[*columns.value];
    if (!columns.quality)
      return !cell.empty() && cell != "NA" && cell != "NaN" && cell != "nan" && cell != "null";
    const std::string& quality = row.cells[*columns.quality];
    if (quality.size() > 1 || quality.find_first_not_of("012458") != std::string::npos)
      fail(row, *columns.quality, "\"{}\" is not a quality number; those are 8, 5, 4, 2, 1 and 0",
           quality);
    if (cell.empty() || quality == "1" || quality == "0") return false;
    if (quality.empty()) fail(row, *columns.value, "the value \"{}\" has no quality number", cell);
    Told& told = told_[element];
    if (quality == "4") ++told.few_data;
    if (quality == "2") ++told.doubtful;
    if (told.unsure_line == 0 && told.few_data + told.doubtful != 0) told.unsure_line = row.line;
    return true;
  }

  /// Flag 1: none fell, or no sun shone, all day. Then the value is 0.
  void check_phenomenon(const Csv::Row& row, size_t column, const std::string& value) const {
    const std::string& flag = row.cells[column];
    if (flag != "0" && flag != "1" && !flag.empty())
      fail(row, column, "\"{}\" is not a flag 0 or 1", flag);
    if (flag == "1" && value != "0")
      fail(row, column, "the flag says that there was none, but the value is {}", value);
  }

  void watch_homogeneity(const Csv::Row& row, size_t element) {
    const std::string& number = row.cells[*layout_.elements[element].homogeneity];
    Told& told = told_[element];
    if (number.empty() || number == told.homogeneity) return;
    if (!told.homogeneity.empty() && told.changes++ == 0) told.changed_line = row.line;
    told.homogeneity = number;
  }

  void warn_of(size_t element) {
    const Told& told = told_[element];
    if (told.unsure_line != 0)
      file_.warnings.push_back(
          fmt::format("{}, from line {} on: {} has values of quality 4 (from too few data: {}) or "
                      "2 (doubtful: {}). They are used.",
                      csv_.file, told.unsure_line, name_of(element), told.few_data, told.doubtful));
    if (told.changes != 0)
      file_.warnings.push_back(
          fmt::format("{}, line {}: the homogeneity number of {} changes here (changes in the "
                      "file: {}). Values before and after may not be comparable.",
                      csv_.file, told.changed_line, name_of(element), told.changes));
  }

  /// An error about a cell: file, line, column and the column's name, then `text`.
  template <class... Values>
  [[noreturn]] void fail(const Csv::Row& row, size_t column, fmt::format_string<Values...> text,
                         Values&&... values) const {
    throw mtl::Error("{} ({}): {}", csv_.where(row, column), csv_.rows[layout_.names].cells[column],
                     fmt::format(text, std::forward<Values>(values)...));
  }

  const Csv& csv_;
  DailyFile file_;
  const Layout& layout_ = file_.layout;
  std::array<Told, element_count> told_{};
};

}  // namespace

Csv::Csv(const std::filesystem::path& path) : file(path.string()) {
  const std::string text = mtl::io::read_text(path);
  ends_with_newline = text.ends_with('\n');
  for (mtl::io::CsvReader row(text, file); row.next();) {
    if (row.blank()) continue;
    rows.push_back({row.line(), {}});
    for (std::string_view cell : row.cells()) {
      cell.remove_prefix(std::min(cell.find_first_not_of(" \t"), cell.size()));
      rows.back().cells.emplace_back(cell.substr(0, cell.find_last_not_of(" \t") + 1));
    }
  }
}

std::string Csv::where(const Row& row, size_t column) const {
  return fmt::format("{}, line {}, column {}", file, row.line, column + 1);
}

void Csv::check_width(const Row& row, const Row& names) const {
  const size_t found = row.cells.size(), expected = names.cells.size();
  if (found == expected) return;
  throw mtl::Error(
      "{}: the line has {} cells where the column names have {}. {}",
      where(row, std::min(found, expected) - 1), found, expected,
      &row == &rows.back() ? "The file was cut off; fetch it again" : "The line is damaged");
}

DailyFile read_daily_file(const std::filesystem::path& path) {
  const Csv csv(path);
  if (csv.rows.empty()) throw mtl::Error("{} is empty. Fetch it again", csv.file);
  std::optional<Layout> layout = agency_layout(csv);
  if (!layout) layout = plain_layout(csv);
  if (!layout)
    throw mtl::Error(
        "{}, line {}, column 1: neither the agency's CSV of daily values (年月日) nor a plain one "
        "(year,month,day,...) begins like this",
        csv.file, csv.rows.front().line);
  return DailyFileReader(csv, *std::move(layout)).read();
}

}  // namespace weather
