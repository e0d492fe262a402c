#include "mtl/data/table_columns.hpp"

#include <array>
#include <limits>

#include "mtl/core/error.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/excerpt.hpp"
#include "mtl/io/iso_date.hpp"

namespace mtl {
namespace {

constexpr std::array<std::string_view, 3> kind_names = {"numbers", "dates", "texts"};

bool parse(ColumnKind kind, std::string_view cell, double& value) {
  return kind == ColumnKind::dates ? io::parse_iso_date(cell, value)
                                   : io::parse_number(cell, value);
}

/// The first row whose cell is not of that kind; the number of rows where all are. `values` gets
/// one value a row up to there.
size_t read_values(ColumnKind kind, const std::vector<std::string>& cells, double* values) {
  for (size_t row = 0; row < cells.size(); ++row) {
    values[row] = std::numeric_limits<double>::quiet_NaN();
    if (!cells[row].empty() && !parse(kind, cells[row], values[row])) return row;
  }
  return cells.size();
}

}  // namespace

std::string_view name_of(ColumnKind kind) { return kind_names.at(static_cast<size_t>(kind)); }

ColumnKind column_kind_named(std::string_view name) {
  for (const ColumnKind kind : {ColumnKind::numbers, ColumnKind::dates, ColumnKind::texts})
    if (name == name_of(kind)) return kind;
  throw Error("there is no kind of column \"{}\": numbers, dates or texts", io::excerpt(name));
}

std::vector<std::string> columns_but(const Table& table, const std::vector<std::string>& taken) {
  table.text_columns(taken);
  std::vector<std::string> others = table.columns();
  std::erase_if(others, [&](const std::string& column) {
    return std::find(taken.begin(), taken.end(), column) != taken.end();
  });
  return others;
}

std::vector<TableColumn> read_columns(const Table& table, const std::vector<std::string>& names,
                                      const std::vector<ColumnKind>& kinds) {
  if (!kinds.empty() && kinds.size() != names.size())
    throw Error("read_columns: {} kinds for {} columns", kinds.size(), names.size());
  std::vector<std::vector<std::string>> cells = table.text_columns(names);
  std::vector<TableColumn> columns;
  for (size_t i = 0; i < names.size(); ++i) {
    TableColumn& column = columns.emplace_back(TableColumn{names[i], ColumnKind::texts, {}, {}});
    const auto try_as = [&](ColumnKind kind) {
      column.values = torch::empty({table.rows()}, torch::kFloat64);
      const size_t wrong = read_values(kind, cells[i], column.values.data_ptr<double>());
      if (wrong == cells[i].size())
        column.kind = kind;
      else
        column.values = Tensor();
      return wrong;
    };
    if (kinds.empty()) {
      if (try_as(ColumnKind::numbers) < cells[i].size()) try_as(ColumnKind::dates);
    } else if (kinds[i] != ColumnKind::texts) {
      const size_t wrong = try_as(kinds[i]);
      if (wrong < cells[i].size())
        throw Error("{}: \"{}\" is not one of the {} that this column holds elsewhere",
                    table.where(static_cast<int64_t>(wrong), names[i]),
                    io::excerpt(cells[i][wrong]), name_of(kinds[i]));
    }
    if (column.kind == ColumnKind::texts) column.texts = std::move(cells[i]);
  }
  return columns;
}

}  // namespace mtl
