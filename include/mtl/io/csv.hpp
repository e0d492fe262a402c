#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace mtl::io {

/// How many cells a row may have: a reader keeps 16 bytes of each, so that a row of nothing but
/// separators would take many times its size.
inline constexpr size_t most_cells = size_t{1} << 22;

/// Walks over CSV text row by row, as RFC 4180 has it: quotes around a cell, two quotes for one,
/// line ends LF or CRLF, also inside quotes. Cells are taken as they are, spaces included. It keeps
/// one row and nothing else, so that a file takes its own size in memory, however short its cells.
///
///     const std::string text = mtl::io::read_text("houses.csv");
///     for (mtl::io::CsvReader row(text, "houses.csv"); row.next();)
///       use(row.cells());
class CsvReader {
 public:
  /// Where a row begins: a reader may start there.
  struct Place {
    size_t byte = 0;
    int64_t line = 1;
  };

  /// `text` is UTF-8 and has to stay while it is read; `file` is what errors call it.
  /// Error: a separator that has a meaning of its own (a quote, a line end, NUL).
  CsvReader(std::string_view text, std::string_view file, char separator = ',')
      : CsvReader(text, file, separator, Place()) {}
  CsvReader(std::string_view text, std::string_view file, char separator, Place from);
  CsvReader(CsvReader&&) = default;
  CsvReader(const CsvReader&) = delete;  // cells of a copy would be the original's

  /// Goes to the next row; false after the last. A blank line is a row of one empty cell.
  /// Error, with line and column: a quote that is never closed or stands inside a cell, a lone
  /// carriage return, a NUL, more than `most_cells` cells.
  bool next();

  /// The cells of this row; they stay until the next call of `next()`.
  const std::vector<std::string_view>& cells() const { return cells_; }
  /// Whether its line is empty. One of nothing but two quotes is a row of one empty cell.
  bool blank() const { return cells_.size() == 1 && cells_.front().empty() && !any_quoted_; }
  /// The line that this row begins on, from 1: quoted cells may span lines.
  int64_t line() const { return row_line_; }
  /// "FILE, line 12, column 3" of this row, for the texts of errors; `column` counts from 0.
  std::string where(size_t column) const;
  /// Where the next row begins.
  Place place() const { return {at_, line_}; }

 private:
  std::string_view plain();
  std::string_view quoted();
  bool at_line_end() const;
  [[noreturn]] void fail(std::string_view what) const;

  std::string_view text_;
  std::string file_;
  char separator_;
  std::array<bool, 256> special_{};  // the bytes at which a plain cell ends, or should not have
  size_t at_;
  int64_t line_, row_line_ = 0;
  bool any_quoted_ = false;  // of this row's cells
  std::vector<std::string_view> cells_;
  std::deque<std::string> unquoted_;  // of this row: cells with quotes in them, which are halved
};

/// The separator that a CSV text most likely has: which of comma, semicolon, tab and | stands most
/// often in its first line that is not blank, outside quotes. A comma where none does.
char likely_separator(std::string_view text);

/// A decimal number that fills `cell` up to spaces around it, read the same under every locale.
/// False, and `number` as it was, for anything else, infinities, NaN and what is beyond the type
/// included.
bool parse_number(std::string_view cell, double& number);
bool parse_number(std::string_view cell, int64_t& number);

/// One CSV line (RFC 4180, ended by "\n"): a field with a comma, a quote or a line end is quoted,
/// and one that is empty and alone, since a blank line is no row to most readers.
std::string csv_row(const std::vector<std::string>& fields);

/// The shortest decimal text that reads back as the same number; NaN, which stands for "no value",
/// is the empty field.
std::string csv_number(double value);

}  // namespace mtl::io
