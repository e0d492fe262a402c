// A plain CSV: year,month,day,temp,rh,atm,sunlight,precipitation,weather in any order, with a line
// of names.

#include "files/daily_file.hpp"

namespace weather {

std::optional<Layout> plain_layout(const Csv& csv) {
  constexpr std::array<std::string_view, 3> date_names = {"year", "month", "day"};
  const Csv::Row& header = csv.rows.front();
  const std::vector<std::string>& names = header.cells;
  const auto column_of = [&](std::string_view name) -> std::optional<size_t> {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return found - names.begin();
  };
  if (std::none_of(date_names.begin(), date_names.end(), column_of)) return std::nullopt;
  for (size_t i = 0; i < names.size(); ++i)
    if (column_of(names[i]) != i)
      throw mtl::Error("{}: the column name \"{}\" occurs twice", csv.where(header, i), names[i]);

  Layout layout{.first_day = 1};
  for (const std::string_view name : date_names) {
    const auto column = column_of(name);
    if (!column)
      throw mtl::Error("{}, line {}: there is no column \"{}\"", csv.file, header.line, name);
    layout.date.push_back(*column);
  }
  for (size_t element = 0; element < element_count; ++element)
    layout.elements[element].value = column_of(name_of(element));
  return layout;
}

}  // namespace weather
