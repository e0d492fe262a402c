#include "mtl/io/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "mtl/core/error.hpp"

namespace mtl::io {
namespace {

std::string_view without_spaces(std::string_view cell) {
  if (!cell.empty() && cell.front() > ' ' && cell.back() > ' ') return cell;  // nearly always
  const size_t first = cell.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return cell.substr(first, cell.find_last_not_of(" \t") - first + 1);
}

// std::from_chars for the whole of `cell`, with a plus sign.
template <class Number>
std::errc read_whole(std::string_view cell, Number& number) {
  if (cell.starts_with('+') && !cell.starts_with("+-")) cell.remove_prefix(1);
  const char* const end = cell.data() + cell.size();
  const auto [stop, error] = std::from_chars(cell.data(), end, number);
  return stop == end && !cell.empty() ? error : std::errc::invalid_argument;
}

}  // namespace

CsvReader::CsvReader(std::string_view text, std::string_view file, char separator, Place from)
    : text_(text), file_(file), separator_(separator), at_(from.byte), line_(from.line) {
  for (const char c : {'"', '\n', '\r', '\0'}) {
    if (c == separator)
      throw Error("{}: the separator of its cells cannot be byte {}", file,
                  static_cast<int>(separator));
    special_[static_cast<unsigned char>(c)] = true;
  }
  special_[static_cast<unsigned char>(separator)] = true;
}

bool CsvReader::next() {
  cells_.clear();
  any_quoted_ = false;
  if (!unquoted_.empty()) unquoted_.clear();
  if (at_ >= text_.size()) return false;
  row_line_ = line_;
  for (;; ++at_) {
    if (cells_.size() == most_cells)
      fail(fmt::format("the row has more than {} cells. Is another separator meant?", most_cells));
    cells_.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted() : plain());
    if (at_ == text_.size()) return true;
    if (text_[at_] != separator_) break;
  }
  at_ += text_[at_] == '\r' ? 2 : 1;
  ++line_;
  return true;
}

// Up to the separator or the end of the line, which stay.
std::string_view CsvReader::plain() {
  const size_t begin = at_;
  while (at_ < text_.size() && !special_[static_cast<unsigned char>(text_[at_])]) ++at_;
  if (at_ < text_.size() && text_[at_] != separator_ && !at_line_end()) {
    if (text_[at_] == '"')
      fail("a quote stands inside a cell. Put the whole cell in quotes and write the quote twice");
    fail("there is a NUL. This is not a text file, or it is damaged");
  }
  return text_.substr(begin, at_ - begin);
}

std::string_view CsvReader::quoted() {
  any_quoted_ = true;
  const int64_t opened = line_;
  const size_t begin = ++at_;
  bool halve = false;
  for (; at_ < text_.size(); ++at_) {
    if (text_[at_] == '\0') fail("there is a NUL. This is not a text file, or it is damaged");
    if (text_[at_] == '\n') ++line_;
    if (text_[at_] != '"') continue;
    if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
      halve = true;
      ++at_;
      continue;
    }
    const std::string_view cell = text_.substr(begin, at_ - begin);
    ++at_;
    if (at_ < text_.size() && text_[at_] != separator_ && !at_line_end())
      fail("text follows a closing quote. Write a quote inside a cell twice");
    if (!halve) return cell;
    std::string& single = unquoted_.emplace_back();
    for (size_t i = 0; i < cell.size(); ++i) {
      single += cell[i];
      if (cell[i] == '"') ++i;
    }
    return single;
  }
  line_ = opened;
  fail("the quote opened here is never closed. The file is damaged or was cut off");
}

bool CsvReader::at_line_end() const {
  if (text_[at_] == '\n') return true;
  if (text_[at_] != '\r') return false;
  if (at_ + 1 < text_.size() && text_[at_ + 1] == '\n') return true;
  fail("a carriage return stands alone. End lines with LF or CR LF");
}

std::string CsvReader::where(size_t column) const {
  return fmt::format("{}, line {}, column {}", file_, row_line_, column + 1);
}

// Within the cell that is being read: the next of this row.
void CsvReader::fail(std::string_view what) const {
  throw Error("{}, line {}, column {}: {}", file_, line_, cells_.size() + 1, what);
}

char likely_separator(std::string_view text) {
  constexpr std::string_view separators = ",;\t|";
  std::array<int64_t, separators.size()> counts{};
  bool in_quotes = false;
  for (const char c : text.substr(std::min(text.find_first_not_of("\r\n"), text.size()))) {
    if (c == '\n' && !in_quotes) break;
    if (c == '"') in_quotes = !in_quotes;
    if (in_quotes) continue;
    const size_t which = separators.find(c);
    if (which != std::string_view::npos) ++counts[which];
  }
  return separators[static_cast<size_t>(std::max_element(counts.begin(), counts.end()) -
                                        counts.begin())];
}

bool parse_number(std::string_view cell, double& number) {
  cell = without_spaces(cell);
  double read = 0;
  std::errc error = read_whole(cell, read);
  if (error == std::errc::result_out_of_range) {  // also where it is too small: then it is 0
    long double wide = 0;
    error = read_whole(cell, wide);
    read = static_cast<double>(wide);
  }
  if (error != std::errc() || !std::isfinite(read)) return false;
  number = read;
  return true;
}

bool parse_number(std::string_view cell, int64_t& number) {
  int64_t read = 0;
  if (read_whole(without_spaces(cell), read) != std::errc()) return false;
  number = read;
  return true;
}

std::string csv_row(const std::vector<std::string>& fields) {
  if (fields.size() == 1 && fields[0].empty()) return "\"\"\n";
  std::string row;
  for (const auto& field : fields) {
    if (&field != fields.data()) row += ',';
    if (field.find_first_of(",\"\r\n") == std::string::npos) {
      row += field;
      continue;
    }
    row += '"';
    for (const char c : field) row.append(c == '"' ? 2 : 1, c);
    row += '"';
  }
  return row + '\n';
}

std::string csv_number(double value) {
  if (std::isnan(value)) return {};
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return {text, end};
}

}  // namespace mtl::io
