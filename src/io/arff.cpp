#include "mtl/io/arff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mtl/core/error.hpp"
#include "mtl/core/number_in.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/excerpt.hpp"

namespace mtl::io {
namespace {

constexpr std::string_view blanks = " \t\r";

/// Walks over one line.
class Line {
 public:
  Line(std::string_view text, std::string_view file, int64_t number)
      : rest_(text), file_(file), number_(number) {
    skip_blanks();
  }

  bool done() const { return rest_.empty() || rest_.front() == '%'; }
  bool take(char c) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    skip_blanks();
    return true;
  }
  /// A word, or what stands in quotes, up to a blank or one of `ends`.
  std::string word(std::string_view ends, bool* was_quoted = nullptr) {
    if (was_quoted != nullptr) *was_quoted = false;
    std::string found;
    if (!rest_.empty() && (rest_.front() == '\'' || rest_.front() == '"')) {
      if (was_quoted != nullptr) *was_quoted = true;
      const char quote = rest_.front();
      size_t at = 1;
      for (; at < rest_.size() && rest_[at] != quote; ++at) {
        if (rest_[at] == '\\' && at + 1 < rest_.size()) ++at;
        found += rest_[at];
      }
      if (at >= rest_.size()) fail("a quote is not closed");
      rest_.remove_prefix(at + 1);
    } else {
      size_t end = 0;  // '%': a comment
      while (end < rest_.size() && rest_[end] != '%' && ends.find(rest_[end]) == ends.npos) ++end;
      std::string_view plain = rest_.substr(0, end);
      plain = plain.substr(0, plain.find_last_not_of(blanks) + 1);
      found = plain;
      rest_.remove_prefix(end);
    }
    skip_blanks();
    return found;
  }
  /// The values of `{a, 'b c'}` behind the opening brace.
  std::vector<std::string> values() {
    std::vector<std::string> found;
    do found.push_back(word(",}"));
    while (take(','));
    if (!take('}')) fail("the list of values is not closed by }");
    return found;
  }
  [[noreturn]] void fail(std::string_view what) const {
    throw Error("{}, line {}: {}", file_, number_, what);
  }

 private:
  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size()));
  }

  std::string_view rest_, file_;
  int64_t number_;
};

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}

/// What a nominal attribute may be.
struct Nominal {
  std::string first;
  std::vector<std::string> sorted;  // there may be as many as a file has words, asked in each row

  bool has(const std::string& value) const {
    return std::binary_search(sorted.begin(), sorted.end(), value);
  }
};

class Reader {
 public:
  Reader(std::string_view file, size_t left_out) : file_(file), left_out_(left_out) {}

  Arff read(std::string_view text) {
    int64_t number = 0;
    const size_t longest = 4 * text.size() + left_out_;
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      Line line(text.substr(0, end), file_, ++number);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (!line.done() && in_data_) {
        row(line);
        if (found_.csv.size() > longest)
          line.fail(
              fmt::format("the rows up to here take {} bytes when what they leave out is "
                          "written; {} are allowed",
                          found_.csv.size(), longest));
      } else {
        if (!line.done()) declaration(line);
        found_.csv += '\n';
      }
    }
    if (!in_data_) throw Error("{} has no line @data; is it an ARFF file?", file_);
    return std::move(found_);
  }

 private:
  void declaration(Line& line) {
    const std::string keyword = lower(line.word(blanks));
    if (keyword == "@relation") {
      found_.relation = line.word("");
    } else if (keyword == "@attribute") {
      found_.columns.push_back(line.word(blanks));
      if (line.take('{')) {
        Nominal nominal{.first = {}, .sorted = line.values()};
        nominal.first = nominal.sorted.front();
        std::sort(nominal.sorted.begin(), nominal.sorted.end());
        attributes_.push_back(std::move(nominal));
        return;
      }
      const std::string type = lower(line.word(blanks));
      if (std::find(types.begin(), types.end(), type) == types.end())
        line.fail(
            "an attribute is numeric, real, integer, string, date or a list {a, b}, found \"" +
            excerpt(type) + "\"");
      attributes_.push_back({.first = "0", .sorted = {}});
    } else if (keyword == "@data") {
      if (found_.columns.empty()) line.fail("no @attribute stands before @data");
      in_data_ = true;
    } else {
      line.fail("@relation, @attribute or @data was expected, found \"" + excerpt(keyword) + "\"");
    }
  }

  void row(Line& line) {
    std::vector<std::string> cells;
    if (line.take('{')) {
      for (const Nominal& attribute : attributes_) cells.push_back(attribute.first);
      if (!line.take('}')) sparse_cells(line, cells);
    } else {
      do cells.push_back(cell(line, cells.size(), ",\t"));
      while (line.take(','));
    }
    if (cells.size() != attributes_.size())
      line.fail(
          fmt::format("{} cells where there are {} attributes", cells.size(), attributes_.size()));
    if (!line.done()) line.fail("something stands behind the last cell");
    found_.csv += csv_row(cells);
  }

  void sparse_cells(Line& line, std::vector<std::string>& cells) {
    do {
      const std::string text = line.word(blanks);
      const auto index = number_in<size_t>(text);
      if (!index || *index >= cells.size())
        line.fail(fmt::format("a sparse cell begins with a number below {}, found \"{}\"",
                              cells.size(), excerpt(text)));
      cells[*index] = cell(line, *index, ",}");
    } while (line.take(','));
    if (!line.take('}')) line.fail("the sparse row is not closed by }");
  }

  std::string cell(Line& line, size_t column, std::string_view ends) {
    bool quoted = false;
    std::string found = line.word(ends, &quoted);
    if (found == "?" && !quoted) return "";
    if (column < attributes_.size() && !attributes_[column].sorted.empty() &&
        !attributes_[column].has(found))
      line.fail(fmt::format("attribute \"{}\" does not have the value \"{}\"",
                            excerpt(found_.columns[column]), excerpt(found)));
    return found;
  }

  static constexpr std::array<std::string_view, 5> types = {"numeric", "real", "integer", "string",
                                                            "date"};
  std::string_view file_;
  Arff found_;
  size_t left_out_;
  std::vector<Nominal> attributes_;  // without values: not nominal
  bool in_data_ = false;
};

}  // namespace

Arff parse_arff(std::string_view text, std::string_view file, size_t left_out) {
  return Reader(file, left_out).read(text);
}

}  // namespace mtl::io
