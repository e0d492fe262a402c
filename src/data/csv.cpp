#include "mtl/data/csv.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "mtl/core/error.hpp"

namespace mtl {
namespace {

/// Walks over the text once; every member says where it stands.
class Parser {
 public:
  Parser(std::string_view text, std::string_view file, char separator)
      : text_(text), file_(file), separator_(separator) {}

  std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) rows.push_back(row());
    return rows;
  }

 private:
  CsvRow row() {
    CsvRow row{line_, {}};
    for (;;) {
      column_ = row.cells.size() + 1;
      row.cells.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted() : plain());
      if (at_ < text_.size() && text_[at_] == separator_) {
        ++at_;
        continue;
      }
      end_line();
      return row;
    }
  }

  /// Up to the separator or the end of the line, which stay.
  std::string plain() {
    const size_t begin = at_;
    for (; at_ < text_.size() && text_[at_] != separator_ && !at_line_end(); ++at_) {
      if (text_[at_] == '"') {
        fail(
            "a quote stands inside a cell. Put the whole cell in quotes and write the quote "
            "twice");
      }
      refuse_nul();
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string quoted() {
    const int64_t opened = line_;
    std::string cell;
    for (++at_; at_ < text_.size(); ++at_) {
      refuse_nul();
      if (text_[at_] == '"') {
        if (at_ + 1 == text_.size() || text_[at_ + 1] != '"') {
          ++at_;
          if (at_ < text_.size() && text_[at_] != separator_ && !at_line_end()) {
            fail("text follows a closing quote. Write a quote inside a cell twice");
          }
          return cell;
        }
        ++at_;  // two quotes are one
      } else if (text_[at_] == '\n') {
        ++line_;
      }
      cell += text_[at_];
    }
    line_ = opened;
    fail("the quote opened here is never closed. The file is damaged or was cut off");
  }

  bool at_line_end() {
    if (text_[at_] == '\n') return true;
    if (text_[at_] != '\r') return false;
    if (at_ + 1 < text_.size() && text_[at_ + 1] == '\n') return true;
    fail("a carriage return stands alone. End lines with LF or CR LF");
  }

  void end_line() {
    if (at_ == text_.size()) return;
    at_ += text_[at_] == '\r' ? 2 : 1;
    ++line_;
  }

  void refuse_nul() {
    if (text_[at_] == '\0') fail("there is a NUL. This is not a text file, or it is damaged");
  }

  [[noreturn]] void fail(std::string_view what) {
    throw Error("{}, line {}, column {}: {}.", file_, line_, column_, what);
  }

  std::string_view text_, file_;
  char separator_;
  size_t at_ = 0;
  size_t column_ = 1;
  int64_t line_ = 1;
};

}  // namespace

std::string Csv::where(const CsvRow& row, size_t column) const {
  return fmt::format("{}, line {}, column {}", file, row.line, column + 1);
}

Csv parse_csv(std::string_view text, std::string_view file, char separator) {
  return {.file = std::string(file),
          .rows = Parser(text, file, separator).rows(),
          .ends_with_newline = text.ends_with('\n')};
}

Csv read_csv(const std::filesystem::path& path, char separator, TextEncoding encoding) {
  return parse_csv(read_text(path, encoding), path.string(), separator);
}

bool parse_number(std::string_view cell, double& number) {
  const size_t first = cell.find_first_not_of(" \t");
  if (first == std::string_view::npos) return false;
  cell = cell.substr(first, cell.find_last_not_of(" \t") - first + 1);
  if (cell.starts_with('+') && !cell.starts_with("+-")) cell.remove_prefix(1);
  const char* end = cell.data() + cell.size();
  const auto [stop, error] = std::from_chars(cell.data(), end, number);
  return error == std::errc{} && stop == end && std::isfinite(number);
}

}  // namespace mtl
