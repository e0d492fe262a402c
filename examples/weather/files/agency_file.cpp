// The Japan Meteorological Agency's CSV download of daily values
// (気象庁「過去の気象データ・ダウンロード」):
//
//     ダウンロードした時刻：2023/10/20 10:42:41
//
//     ,東京,東京,東京,...                                       station
//     年月日,平均気温(℃),平均気温(℃),平均気温(℃),...            element, repeated over its columns
//     ,,,,...                                                   時分, 風向: seldom there
//     ,,品質情報,均質番号,...                                   what the column adds to its element
//     2013/10/20,15.2,8,1,...

#include "files/daily_file.hpp"

namespace weather {
namespace {

constexpr std::string_view quality_name = "品質情報";

/// Decoders differ in which of two signs they give for some bytes, and people convert files: a name
/// with narrow brackets and colon and without spaces.
std::string normalised(std::string_view name) {
  std::string result(name);
  for (const auto& [wide, narrow] : {std::pair<std::string_view, std::string_view>{"（", "("},
                                     {"）", ")"},
                                     {"：", ":"},
                                     {"　", ""},
                                     {" ", ""}}) {
    for (size_t at = 0; (at = result.find(wide, at)) != std::string::npos; at += narrow.size())
      result.replace(at, wide.size(), narrow);
  }
  return result;
}

/// The element that a column belongs to, by what its name begins with, up to a bracket; the sky's
/// goes on with hours in the bracket: 天気概況(昼：06時～18時).
std::optional<size_t> element_of(std::string_view cell) {
  const std::string name = normalised(cell);
  for (size_t element = 0; element < element_count; ++element) {
    const std::string_view wanted = agency_name_of(element);
    if (element == sky ? name.starts_with(wanted.substr(0, wanted.find(')')))
                       : name.substr(0, name.find('(')) == wanted)
      return element;
  }
  return std::nullopt;
}

/// How many columns the date takes in a row of column names: 年月日, or 年, 月, 日 apart; else 0.
size_t date_columns(const Csv::Row& row) {
  const auto is = [&](size_t i, std::string_view name) {
    return i < row.cells.size() && normalised(row.cells[i]) == name;
  };
  if (is(0, "年月日")) return 1;
  return is(0, "年") && is(1, "月") && is(2, "日") ? 3 : 0;
}

/// The row with 品質情報; a row of 時分 and 風向 may lie between it and the names.
size_t find_flags(const Csv& csv, size_t names) {
  for (size_t row = names + 1; row < std::min(names + 3, csv.rows.size()); ++row) {
    const std::vector<std::string>& cells = csv.rows[row].cells;
    csv.check_width(csv.rows[row], csv.rows[names]);
    if (std::find(cells.begin(), cells.end(), quality_name) != cells.end()) return row;
  }
  throw mtl::Error(
      "{}, line {}: no row with 品質情報 follows the column names. The file was cut off, or was "
      "downloaded without quality numbers: choose 「すべて数値で格納」 among the options",
      csv.file, csv.rows[names].line);
}

std::string read_station(const Csv& csv, size_t names, size_t first) {
  if (names == 0 || csv.rows[names - 1].line + 1 != csv.rows[names].line)
    throw mtl::Error("{}, line {}: a row of station names belongs above the column names", csv.file,
                     csv.rows[names].line);
  const Csv::Row& stations = csv.rows[names - 1];
  csv.check_width(stations, csv.rows[names]);
  for (size_t i = first; i < stations.cells.size(); ++i) {
    const std::string& station = stations.cells[i];
    if (station.empty()) throw mtl::Error("{}: the column has no station", csv.where(stations, i));
    if (station != stations.cells[first])
      throw mtl::Error("{}: the file holds {} beside {}. Download one station",
                       csv.where(stations, i), station, stations.cells[first]);
  }
  return stations.cells.back();
}

/// The value comes first, then what qualifies it, up to the next column without a flag: that is a
/// time or a direction (or a normal) with flags of its own.
Layout::Columns columns_of(const Csv::Row& flags, size_t begin, size_t end) {
  Layout::Columns columns{.value = begin};
  bool own = flags.cells[begin].empty();
  for (size_t i = begin + 1; i < end; ++i) {
    const std::string& flag = flags.cells[i];
    own = own && !flag.empty();
    if (own && flag == quality_name) columns.quality = i;
    if (own && flag == "現象なし情報") columns.phenomenon = i;
    if (flag == "均質番号") columns.homogeneity = i;
  }
  return columns;
}

}  // namespace

std::string_view agency_name_of(size_t element) {
  constexpr std::array<std::string_view, element_count> names = {
      "平均気温", "平均湿度", "平均現地気圧", "日照時間", "降水量の合計", "天気概況(昼)"};
  return names.at(element);
}

std::optional<Layout> agency_layout(const Csv& csv) {
  const size_t searched = std::min<size_t>(csv.rows.size(), 10);  // the preamble is two lines long
  Layout layout;
  while (layout.names < searched && date_columns(csv.rows[layout.names]) == 0) ++layout.names;
  if (layout.names == searched) return std::nullopt;

  const Csv::Row& header = csv.rows[layout.names];
  const std::vector<std::string>& names = header.cells;
  for (size_t i = 0; i < date_columns(header); ++i) layout.date.push_back(i);
  const size_t flags = find_flags(csv, layout.names);
  layout.first_day = flags + 1;
  layout.station = read_station(csv, layout.names, layout.date.size());
  for (size_t begin = layout.date.size(), end = begin; begin < names.size(); begin = end) {
    while (end < names.size() && names[end] == names[begin]) ++end;
    if (names[begin].empty())
      throw mtl::Error("{}: the column has no name", csv.where(header, begin));
    const std::optional<size_t> element = element_of(names[begin]);
    if (!element) continue;
    Layout::Columns& columns = layout.elements[*element];
    if (columns.value)
      throw mtl::Error("{}: {} occurs a second time", csv.where(header, begin), names[begin]);
    columns = columns_of(csv.rows[flags], begin, end);
    if (!columns.quality)
      throw mtl::Error(
          "{}: {} has no quality column (品質情報). Choose 「すべて数値で格納」 among the "
          "download's options",
          csv.where(header, begin), names[begin]);
  }
  return layout;
}

}  // namespace weather
