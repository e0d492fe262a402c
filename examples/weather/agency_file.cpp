// The Japan Meteorological Agency's CSV download of daily values
// (気象庁「過去の気象データ・ダウンロード」):
//
//     ダウンロードした時刻：2023/10/20 10:42:41
//
//     ,東京,東京,東京,...                                       station
//     年月日,平均気温(℃),平均気温(℃),平均気温(℃),...            element, repeated over its columns
//     ,,,,...                                                   時分, 風向: only where an element
//     has such columns
//     ,,品質情報,均質番号,...                                   what the column adds to its element
//     2013/10/20,15.2,8,1,...

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "mtl/core/error.hpp"
#include "mtl/io/csv.hpp"
#include "weather_file.hpp"

namespace weather {
namespace {

constexpr std::string_view quality_name = "品質情報";
constexpr std::string_view phenomenon_name = "現象なし情報";
constexpr std::string_view homogeneity_name = "均質番号";

constexpr std::array<std::string_view, element_count> agency_names = {
    "平均気温", "平均湿度", "平均現地気圧", "日照時間", "降水量の合計", "天気概況(昼"};

/// Decoders differ in which of two signs they give for some bytes, and people convert files: a name
/// with narrow brackets and colon and without spaces.
std::string normalised(std::string_view name) {
  std::string result(name);
  for (const auto& [wide, narrow] : {std::pair<std::string_view, std::string_view>{"（", "("},
                                     {"）", ")"},
                                     {"：", ":"},
                                     {"　", ""},
                                     {" ", ""}}) {
    for (size_t at = 0; (at = result.find(wide, at)) != std::string::npos; at += narrow.size()) {
      result.replace(at, wide.size(), narrow);
    }
  }
  return result;
}

/// The element that a column belongs to, by what its name begins with, up to a bracket.
std::optional<size_t> element_of(std::string_view cell) {
  const std::string name = normalised(cell);
  for (size_t element = 0; element < element_count; ++element) {
    const std::string_view wanted = agency_names[element];
    if (element == sky ? name.starts_with(wanted) : name.substr(0, name.find('(')) == wanted) {
      return element;
    }
  }
  return std::nullopt;
}

/// How many columns the date takes in a row of column names: 年月日, or 年, 月, 日 apart; else 0.
size_t date_columns(const CsvRow& row) {
  const auto is = [&](size_t i, std::string_view name) {
    return i < row.cells.size() && normalised(row.cells[i]) == name;
  };
  if (is(0, "年月日")) return 1;
  return is(0, "年") && is(1, "月") && is(2, "日") ? 3 : 0;
}

/// The columns of one element.
struct Columns {
  size_t value = 0, quality = 0, phenomenon = 0, homogeneity = 0;  // 0 is the date's: not there
};

class AgencyFile {
 public:
  explicit AgencyFile(const Csv& csv) : csv_(csv) {
    result_.file = csv.file;
    find_header();
    find_station();
    find_elements();
  }

  WeatherFile read() {
    for (const CsvRow* row = flags_ + 1; row <= &csv_.rows.back(); ++row) {
      if (row->blank()) continue;
      check_width(csv_, *row, names_->cells.size());
      read_day(*row);
    }
    if (result_.days.empty()) {
      throw mtl::Error("{} has column names but no day. Fetch it again.", csv_.file);
    }
    warn();
    return std::move(result_);
  }

 private:
  void find_header() {
    const CsvRow* end = csv_.rows.data() + csv_.rows.size();
    names_ = std::find_if(csv_.rows.data(), end, date_columns);  // the caller saw that it is there
    dates_ = date_columns(*names_);
    // The row of flags is the first below with 品質情報; a row of 時分 and 風向 may lie between.
    flags_ = names_ + 1;
    while (flags_ < end && flags_ <= names_ + 2 && !has(*flags_, quality_name)) ++flags_;
    if (flags_ >= end || flags_ > names_ + 2) {
      throw mtl::Error(
          "{}, line {}: no row with 品質情報 follows the column names. The file was cut off, or was "
          "downloaded without quality numbers: choose 「すべて数値で格納」 among the options.",
          csv_.file, names_->line);
    }
    for (const CsvRow* row = names_ + 1; row <= flags_; ++row) {
      check_width(csv_, *row, names_->cells.size());
    }
  }

  static bool has(const CsvRow& row, std::string_view cell) {
    return std::find(row.cells.begin(), row.cells.end(), cell) != row.cells.end();
  }

  void find_station() {
    const CsvRow* stations = names_ - 1;
    if (names_ == csv_.rows.data() || stations->blank()) {
      throw mtl::Error("{}, line {}: a row of station names belongs above the column names.",
                       csv_.file, names_->line);
    }
    check_width(csv_, *stations, names_->cells.size());
    for (size_t i = dates_; i < stations->cells.size(); ++i) {
      const std::string& station = stations->cells[i];
      if (station.empty()) {
        throw mtl::Error("{}: the column has no station.", csv_.where(*stations, i));
      }
      if (i > dates_ && station != result_.station) {
        throw mtl::Error("{}: the file holds {} beside {}. Download one station.",
                         csv_.where(*stations, i), station, result_.station);
      }
      result_.station = station;
    }
  }

  void find_elements() {
    const std::vector<std::string>& names = names_->cells;
    for (size_t i = dates_; i < names.size(); ++i) {
      if (names[i].empty()) {
        throw mtl::Error("{}: the column has no name.", csv_.where(*names_, i));
      }
    }
    for (size_t begin = dates_, end = begin; begin < names.size(); begin = end) {
      while (end < names.size() && names[end] == names[begin]) ++end;
      const std::optional<size_t> element = element_of(names[begin]);
      if (!element) continue;
      if (result_.has[*element]) {
        throw mtl::Error("{}: {} occurs a second time.", csv_.where(*names_, begin), names[begin]);
      }
      const Columns columns = columns_of(begin, end);
      if (columns.quality == 0) {
        throw mtl::Error(
            "{}: {} has no quality column (品質情報). Choose 「すべて数値で格納」 among the "
            "download's options.",
            csv_.where(*names_, begin), names[begin]);
      }
      result_.has[*element] = true;
      result_.column[*element] = columns.value;
      columns_[*element] = columns;
    }
  }

  /// The value comes first, then what qualifies it, up to the next column without a flag: that is
  /// a time or a direction (or a normal) with flags of its own.
  Columns columns_of(size_t begin, size_t end) const {
    Columns columns{.value = begin};
    if (!flags_->cells[begin].empty()) return columns;
    bool own = true;
    for (size_t i = begin + 1; i < end; ++i) {
      const std::string& flag = flags_->cells[i];
      if (flag.empty()) own = false;
      if (own && flag == quality_name) columns.quality = i;
      if (own && flag == phenomenon_name) columns.phenomenon = i;
      if (flag == homogeneity_name) columns.homogeneity = i;
    }
    return columns;
  }

  void read_day(const CsvRow& row) {
    Observation day{.date = date(row), .line = row.line, .numbers = {}, .weather = {}};
    for (size_t element = 0; element < element_count; ++element) {
      if (element < number_count) {
        day.numbers[element] = std::numeric_limits<double>::quiet_NaN();
      }
      if (!result_.has[element]) continue;
      const Columns& columns = columns_[element];
      const std::string& cell = row.cells[columns.value];
      const std::string where = place(row, columns.value);
      watch_homogeneity(row, element);
      if (!is_value(row, element, where)) continue;
      if (element == sky) {
        // Signs such as /// and × are no weather; all weathers are written in kanji and kana.
        if (static_cast<unsigned char>(cell.front()) < 0x80) {
          throw mtl::Error("{}: \"{}\" is not a weather.", where, cell);
        }
        day.weather = checked_weather(cell, where);
      } else {
        day.numbers[element] = checked_number(cell, element, where);
        check_phenomenon(row, element, day.numbers[element]);
      }
    }
    append(result_, std::move(day), csv_.where(row, 0));
  }

  Date date(const CsvRow& row) const {
    std::array<double, 3> parts{};
    const std::string& cell = row.cells[0];
    bool good = true;
    if (dates_ == 3) {
      for (size_t i = 0; i < 3; ++i) good = good && mtl::io::parse_number(row.cells[i], parts[i]);
    } else {
      const size_t first = cell.find_first_of("/-"), second = cell.find_first_of("/-", first + 1);
      good = first != std::string::npos && second != std::string::npos &&
             mtl::io::parse_number(cell.substr(0, first), parts[0]) &&
             mtl::io::parse_number(cell.substr(first + 1, second - first - 1), parts[1]) &&
             mtl::io::parse_number(cell.substr(second + 1), parts[2]);
    }
    const auto whole = [](double part) { return part == std::trunc(part); };
    good = good &&
           std::all_of(parts.begin(), parts.end(),
                       [](double part) { return part >= 0 && part < 10000; }) &&
           std::all_of(parts.begin(), parts.end(), whole);
    if (!good) {
      throw mtl::Error("{}: \"{}\" is not a date such as 2013/10/20. Daily values are needed.",
                       csv_.where(row, 0), cell);
    }
    return checked_date(static_cast<int64_t>(parts[0]), static_cast<int64_t>(parts[1]),
                        static_cast<int64_t>(parts[2]), csv_.where(row, 0));
  }

  /// 8 (normal) and 5 (nearly complete) are values; 4 (from too few data) and 2 (doubtful) are used
  /// and counted; 1 (missing) and 0 (not observed) are none.
  bool is_value(const CsvRow& row, size_t element, const std::string& where) {
    const std::string& cell = row.cells[columns_[element].value];
    const std::string& quality = row.cells[columns_[element].quality];
    const bool known =
        quality.empty() || (quality.size() == 1 &&
                            std::string_view("012458").find(quality[0]) != std::string_view::npos);
    if (!known) {
      throw mtl::Error("{}: \"{}\" is not a quality number; those are 8, 5, 4, 2, 1 and 0.",
                       place(row, columns_[element].quality), quality);
    }
    if (cell.empty() || quality == "1" || quality == "0") return false;
    if (quality.empty()) {
      throw mtl::Error("{}: the value \"{}\" has no quality number.", where, cell);
    }
    if (quality == "4" || quality == "2") {
      Doubtful& doubtful = doubtful_[element];
      ++(quality == "4" ? doubtful.four : doubtful.two);
      if (doubtful.line == 0) doubtful.line = row.line;
    }
    return true;
  }

  /// Flag 1: none fell, or no sun shone, all day. Then the value is 0.
  void check_phenomenon(const CsvRow& row, size_t element, double number) const {
    const size_t column = columns_[element].phenomenon;
    if (column == 0) return;
    const std::string& flag = row.cells[column];
    if (flag != "0" && flag != "1" && !flag.empty()) {
      throw mtl::Error("{}: \"{}\" is not a flag 0 or 1.", place(row, column), flag);
    }
    if (flag == "1" && number != 0) {
      throw mtl::Error("{}: the flag says that there was none, but the value is {}.",
                       place(row, column), number);
    }
  }

  void watch_homogeneity(const CsvRow& row, size_t element) {
    const size_t column = columns_[element].homogeneity;
    if (column == 0 || row.cells[column].empty()) return;
    Homogeneity& seen = homogeneity_[element];
    if (!seen.number.empty() && seen.number != row.cells[column]) {
      if (seen.changes++ == 0) seen.line = row.line;
    }
    seen.number = row.cells[column];
  }

  void warn() {
    for (size_t element = 0; element < element_count; ++element) {
      const Doubtful& doubtful = doubtful_[element];
      if (doubtful.line != 0) {
        result_.warnings.push_back(fmt::format(
            "{}, from line {} on: {} has values of quality 4 (from too few data: {}) or "
            "2 (doubtful: {}). They are used.",
            csv_.file, doubtful.line, name_of(element), doubtful.four, doubtful.two));
      }
      const Homogeneity& seen = homogeneity_[element];
      if (seen.changes != 0) {
        result_.warnings.push_back(
            fmt::format("{}, line {}: the homogeneity number of {} changes here (changes in the "
                        "file: {}). Values before and after may not be comparable.",
                        csv_.file, seen.line, name_of(element), seen.changes));
      }
    }
  }

  std::string place(const CsvRow& row, size_t column) const {
    return fmt::format("{} ({})", csv_.where(row, column), names_->cells[column]);
  }

  struct Doubtful {
    int64_t four = 0, two = 0, line = 0;
  };
  struct Homogeneity {
    std::string number;
    int64_t changes = 0, line = 0;
  };

  const Csv& csv_;
  WeatherFile result_;
  const CsvRow *names_ = nullptr, *flags_ = nullptr;
  size_t dates_ = 1;
  std::array<Columns, element_count> columns_{};
  std::array<Doubtful, element_count> doubtful_{};
  std::array<Homogeneity, element_count> homogeneity_{};
};

}  // namespace

bool is_agency_file(const Csv& csv) {
  const size_t rows = std::min<size_t>(csv.rows.size(), 10);  // the preamble is two lines long
  return std::any_of(csv.rows.begin(), csv.rows.begin() + static_cast<std::ptrdiff_t>(rows),
                     [](const CsvRow& row) { return date_columns(row) != 0; });
}

WeatherFile read_agency_file(const Csv& csv) { return AgencyFile(csv).read(); }

}  // namespace weather
