#include "mtl/report/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "mtl/io/atomic_file.hpp"
#include "script.hpp"

namespace mtl::report {
namespace {

constexpr const char* page_style = R"(
:root { color-scheme: light dark; --ink: #1f2328; --paper: #ffffff; --faint: #d7dce2;
        --band: #f4f6f8; --alarm: #9a3412; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e6ea; --paper: #16191d; --faint: #3a4048; --band: #20252b; --alarm: #fdba74; }
}
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
       color: var(--ink); background: var(--paper);
       font: 16px/1.5 system-ui, "Noto Sans CJK JP", "Noto Sans JP", "Hiragino Sans", "Yu Gothic",
             sans-serif; }
h1 { font-size: 1.7rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--faint); }
p { white-space: pre-line; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .3rem .9rem; border-bottom: 1px solid var(--faint); text-align: left;
         vertical-align: top; }
td { white-space: pre-line; } th { background: var(--band); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1.5rem 0; break-inside: avoid; }
img { max-width: 100%; height: auto; background: #ffffff; border: 1px solid var(--faint);
      border-radius: 6px; }
figcaption { font-size: .9rem; opacity: .85; }
.warnings { border-left: 4px solid var(--alarm); padding: .2rem 1rem; background: var(--band); }
)";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : clean_text(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      text += j <= count ? digits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

// Empty cells and dashes stand for "no value" between numbers; "43.6 %" and "1.2 ± 0.1" are
// numbers, too.
bool looks_like_number(std::string_view text) {
  if (text.empty() || text == "-" || text == "–") return true;
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  return error == std::errc() && (rest.empty() || rest.front() == ' ' || rest.front() == '%');
}

std::vector<bool> number_columns(const TextTable& table) {
  std::vector<bool> numbers(table.header.size(), !table.rows.empty());
  for (const auto& row : table.rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      numbers[i] = numbers[i] && looks_like_number(row[i]);
  return numbers;
}

std::string image(const std::string& type, const std::string& bytes, const std::string& alternative,
                  const std::string& caption) {
  return fmt::format("<figure><img alt=\"{}\" src=\"data:{};base64,{}\">{}</figure>\n",
                     escaped(alternative), type, base64(bytes),
                     caption.empty() ? "" : "<figcaption>" + escaped(caption) + "</figcaption>");
}

}  // namespace

HtmlPage::HtmlPage(const std::string& title, DrawOptions options)
    : title_(escaped(title)), options_(std::move(options)) {}

HtmlPage& HtmlPage::heading(const std::string& text) {
  body_ += "<h2>" + escaped(text) + "</h2>\n";
  return *this;
}

HtmlPage& HtmlPage::text(const std::string& paragraph) {
  body_ += "<p>" + escaped(paragraph) + "</p>\n";
  return *this;
}

HtmlPage& HtmlPage::table(const TextTable& table, const std::string& caption) {
  for (const auto& row : table.rows)
    if (row.size() != table.header.size())
      throw Error("table \"{}\": a row of {} cells below a header of {}", caption, row.size(),
                  table.header.size());
  const auto numbers = number_columns(table);
  const auto add_row = [&](const std::vector<std::string>& cells, const char* tag) {
    body_ += "<tr>";
    for (std::size_t i = 0; i < cells.size(); ++i)
      body_ += fmt::format("<{0}{1}>{2}</{0}>", tag, numbers[i] ? " class=\"number\"" : "",
                           escaped(cells[i]));
    body_ += "</tr>\n";
  };
  body_ += "<div class=\"scroll\"><table>";
  if (!caption.empty()) body_ += "<caption>" + escaped(caption) + "</caption>";
  body_ += "<thead>";
  add_row(table.header, "th");
  body_ += "</thead><tbody>\n";
  for (const auto& row : table.rows) add_row(row, "td");
  body_ += "</tbody></table></div>\n";
  return *this;
}

HtmlPage& HtmlPage::figure(const Figure& figure, const std::string& caption) {
  return svg(draw(figure, Format::svg, options_), figure.title, caption);
}

HtmlPage& HtmlPage::svg(const std::string& bytes, const std::string& alternative_text,
                        const std::string& caption) {
  body_ += image("image/svg+xml", bytes, alternative_text, caption);
  return *this;
}

HtmlPage& HtmlPage::png(const std::string& bytes, const std::string& alternative_text,
                        const std::string& caption) {
  body_ += image("image/png", bytes, alternative_text, caption);
  return *this;
}

HtmlPage& HtmlPage::warnings(const std::vector<std::string>& lines) {
  if (lines.empty()) return *this;
  body_ += "<div class=\"warnings\"><ul>\n";
  for (const auto& line : lines) body_ += "<li>" + escaped(line) + "</li>\n";
  body_ += "</ul></div>\n";
  return *this;
}

std::string HtmlPage::html() const {
  return fmt::format(
      "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n"
      "<body>\n<h1>{0}</h1>\n{2}</body>\n</html>\n",
      title_, page_style, body_);
}

void HtmlPage::save(const std::filesystem::path& path) const {
  io::write_file_atomically(path, html());
}

}  // namespace mtl::report
