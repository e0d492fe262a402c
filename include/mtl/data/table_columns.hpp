#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/data/table.hpp"

namespace mtl {

/// What the cells of a column are.
enum class ColumnKind { numbers, dates, texts };

std::string_view name_of(ColumnKind kind);
/// Error: no kind has that name.
ColumnKind column_kind_named(std::string_view name);

/// A column of a table by what it holds.
struct TableColumn {
  std::string name;
  ColumnKind kind = ColumnKind::numbers;
  /// [rows] float64, NaN where there is no value: the numbers, or the dates (io::parse_iso_date) as
  /// seconds since 1970. Undefined for texts.
  Tensor values = {};
  std::vector<std::string> texts = {};  ///< [rows], "" where there is no value; only for texts
};

/// The names of all other columns. Error: one of these is not there.
std::vector<std::string> columns_but(const Table& table, const std::vector<std::string>& taken);

/// Columns as what every cell with a value is: numbers, else dates, else texts. With `kinds`, one a
/// name, as what they were elsewhere.
/// Error: no such column; with `kinds`, a cell that is something else, with its line.
std::vector<TableColumn> read_columns(const Table& table, const std::vector<std::string>& names,
                                      const std::vector<ColumnKind>& kinds = {});

}  // namespace mtl
