#include "script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "mtl/core/error.hpp"

namespace mtl::report {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

// The length of the UTF-8 sequence at the front; 0 where there is none (overlong forms and
// surrogates included).
std::size_t sequence(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto tail = [&](std::size_t i) { return (at(i) & 0xc0) == 0x80; };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf && tail(1)) return 2;
  if (first >= 0xe0 && first <= 0xef && tail(1) && tail(2)) {
    const bool overlong = first == 0xe0 && at(1) < 0xa0, surrogate = first == 0xed && at(1) > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xf0 && first <= 0xf4 && tail(1) && tail(2) && tail(3)) {
    const bool overlong = first == 0xf0 && at(1) < 0x90, beyond = first == 0xf4 && at(1) > 0x8f;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

std::vector<std::string> characters(std::string_view text) {
  std::vector<std::string> all;
  while (!text.empty()) {
    const auto length = sequence(text);
    all.emplace_back(length ? text.substr(0, length) : replacement);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return all;
}

// From U+1100 on (three or four bytes), letters outside Latin, Greek, Cyrillic, ... are mostly as
// wide as high.
int width(const std::string& character) {
  if (character.size() == 3 && character < "\xe2\xba\x80")
    return 1;  // below U+2E80: punctuation, symbols
  return character.size() >= 3 ? 2 : 1;
}

}  // namespace

std::string clean_text(std::string_view text) {
  std::string clean;
  for (const auto& character : characters(text)) {
    const auto first = static_cast<unsigned char>(character[0]);
    const bool control = (first < 0x20 && first != '\n') || first == 0x7f;
    clean += control ? " " : character;
  }
  return clean;
}

std::vector<std::string> clean_texts(const std::vector<std::string>& texts) {
  std::vector<std::string> clean;
  for (const std::string& text : texts) clean.push_back(clean_text(text));
  return clean;
}

int display_width(std::string_view text) {
  int longest = 0, line = 0;
  for (const auto& character : characters(text)) {
    line = character == "\n" ? 0 : line + width(character);
    longest = std::max(longest, line);
  }
  return longest;
}

std::string wrapped(std::string_view text, int limit) {
  std::string result, line, word;
  const auto end_line = [&] {
    while (!line.empty() && line.back() == ' ') line.pop_back();
    result += line + '\n';
    line.clear();
  };
  const auto place_word = [&] {
    if (!line.empty() && display_width(line) + display_width(word) > limit) end_line();
    line += word;
    word.clear();
  };
  for (const auto& character : characters(clean_text(text))) {
    if (character == "\n") {
      place_word();
      end_line();
    } else if (character == " ") {
      place_word();
      if (!line.empty()) line += ' ';
    } else {
      if (width(character) == 2 || display_width(word) >= limit)
        place_word();  // CJK breaks anywhere
      word += character;
      if (character == "_" || character == "-" || character == "/") place_word();
    }
  }
  place_word();
  end_line();
  result.pop_back();
  return result;
}

std::string shortened(std::string_view text, int limit) {
  if (display_width(text) <= limit) return clean_text(text);
  std::string result;
  for (const auto& character : characters(clean_text(text))) {
    if (display_width(result) + width(character) > limit - 1) break;
    result += character;
  }
  return result + "\xe2\x80\xa6";  // an ellipsis
}

std::string literal(std::string_view text) {
  // Between single quotes gnuplot interprets nothing (between double quotes it would run what
  // stands in backquotes); only line ends need the other kind.
  std::string result = "'";
  for (const char c : clean_text(text)) {
    if (c == '\'')
      result += "''";
    else if (c == '\n')
      result += "'.\"\\n\".'";
    else
      result += c;
  }
  return result + "'";
}

std::string tic_literal(std::string_view text) {
  std::string line;
  for (const char c : text) line.append(c == '%' ? 2 : 1, c == '\n' ? ' ' : c);
  return literal(line);
}

std::string number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "NaN"; }

Range range_of(std::span<const double> values) {
  Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const double value : values)
    if (std::isfinite(value)) range = united(range, {value, value});
  return range;
}

Range united(Range a, Range b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

Range padded(Range range, double margin) {
  double extra = (range.high - range.low) * margin;
  // A flat line stands in the middle; the smallest width is what a double of this size can still
  // resolve on an axis.
  const double least = std::max(std::abs(range.low), std::abs(range.high)) * 1e-6;
  if (range.high - range.low <= least) extra = std::max(std::abs(range.low) * 0.1, 1e-3);
  return {range.low - extra, range.high + extra};
}

std::string Script::points(std::span<const double> x, std::span<const double> y) {
  std::string name = fmt::format("$points{}", blocks_++);
  line("{} << END", name);
  // No empty line at the front, and never two in a row: those would begin another data set.
  bool gap = true;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const bool missing = !std::isfinite(x[i]) || !std::isfinite(y[i]);
    if (!missing) line("{} {}", x[i], y[i]);
    if (missing && !gap) line("");
    gap = missing;
  }
  line("END");
  return name;
}

Script& Script::panels(const std::string& title, int rows, int columns) {
  return line("set multiplot layout {},{} title {} font ',13'", rows, columns, literal(title));
}

Script plain_plot() {
  Script script;
  script.line("set encoding utf8");
  script.line("set border 3 lc rgb '#666666'");
  script.line("set tics nomirror textcolor rgb '#333333'");
  script.line("set grid lc rgb '#e4e4e4' lw 1 lt 1");
  script.line("set key bmargin center horizontal samplen 2");
  script.line("set datafile missing NaN");
  return script;
}

}  // namespace mtl::report
