#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace mtl {

/// What the bytes of a text file mean.
enum class TextEncoding {
  automatic,  ///< UTF-8 where the bytes are valid UTF-8 (with or without a mark), else CP932
  utf8,
  cp932,  ///< Windows' Japanese code page; iconv's strict SHIFT_JIS refuses signs such as ㎡
};

/// Bytes as UTF-8 without a byte order mark. `file` is what errors call the text.
/// Throws Error with line and byte where the bytes are in none of the encodings asked for.
std::string decode_text(std::string_view bytes, TextEncoding encoding, std::string_view file);

/// A whole file as UTF-8. Throws Error when it cannot be read.
std::string read_text(const std::filesystem::path& path,
                      TextEncoding encoding = TextEncoding::automatic);

/// One record of a CSV file. A blank line is a record of one empty cell.
struct CsvRow {
  int64_t line;  ///< the line it begins on, from 1: quoted cells may span lines
  std::vector<std::string> cells;

  bool blank() const { return cells.size() == 1 && cells.front().empty(); }
};

/// Cells without a meaning yet; `Table` gives them one.
struct Csv {
  std::string file;  ///< what errors call it
  std::vector<CsvRow> rows;
  bool ends_with_newline = true;  ///< false: perhaps cut off

  /// "FILE, line 12, column 3", for the texts of errors; `column` counts from 0.
  std::string where(const CsvRow& row, size_t column) const;
};

/// Splits UTF-8 text into cells as RFC 4180 says: quotes around a cell, two quotes for one, line
/// ends LF or CRLF, also inside quotes. Cells are taken as they are, spaces included.
/// Throws Error with line and column at a quote that is never closed or stands inside a cell, at a
/// lone carriage return and at a NUL.
Csv parse_csv(std::string_view text, std::string_view file, char separator = ',');

/// Reads, decodes and splits.
Csv read_csv(const std::filesystem::path& path, char separator = ',',
             TextEncoding encoding = TextEncoding::automatic);

/// A decimal number that fills `cell` up to spaces around it, read the same under every locale.
/// False for anything else, infinities and NaN included.
bool parse_number(std::string_view cell, double& number);

}  // namespace mtl
