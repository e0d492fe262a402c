#pragma once

#include <array>
#include <optional>

#include "days.hpp"

// One file, before it is joined with others.

namespace weather {

/// The cells of a file, before they have a meaning: without spaces around them, without blank
/// lines.
struct Csv {
  struct Row {
    int64_t line;
    std::vector<std::string> cells;
  };
  explicit Csv(const std::filesystem::path& path);

  /// "FILE, line 12, column 3"; `column` counts from 0.
  std::string where(const Row& row, size_t column) const;
  /// Error: the row has another number of cells than the row of names.
  void check_width(const Row& row, const Row& names) const;

  std::string file;
  std::vector<Row> rows;
  bool ends_with_newline;
};

/// Where a file has what: rows and columns of its Csv.
struct Layout {
  struct Columns {
    std::optional<size_t> value = {}, quality = {}, phenomenon = {}, homogeneity = {};
  };
  size_t names = 0, first_day = 0;  // rows
  std::vector<size_t> date = {};    // one column with all of it, or year, month and day
  std::array<Columns, element_count> elements = {};
  std::string station = {};  // empty: the file does not say
};

/// None: the file is of the other kind.
std::optional<Layout> agency_layout(const Csv& csv);
std::optional<Layout> plain_layout(const Csv& csv);

/// What the agency calls an element.
std::string_view agency_name_of(size_t element);

/// A day as one file has it: values as text, numbers in their shortest form; empty: missing.
struct DailyRow {
  Date date;
  int64_t line = 0;
  std::array<std::string, element_count> values = {};
};

struct DailyFile {
  std::string name;
  Layout layout;
  std::vector<DailyRow> rows = {};  // dates ascend
  std::vector<std::string> warnings = {};
};

DailyFile read_daily_file(const std::filesystem::path& path);

}  // namespace weather
