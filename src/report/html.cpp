#include "mtl/report/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "inline_svg.hpp"
#include "mtl/io/atomic_file.hpp"
#include "script.hpp"

namespace mtl::report {
namespace {

// Pictures are drawn for white paper; on a dark page they are turned, hues kept. A picture is never
// smaller than what its letters need: it is moved sideways in its box instead.
constexpr const char* page_style = R"(
:root { color-scheme: light dark; --ink: #1f2328; --paper: #ffffff; --faint: #d7dce2;
        --band: #f4f6f8; --alarm: #9a3412; --mark: #0b6b53; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e3e6ea; --paper: #16191d; --faint: #3a4048; --band: #20252b; --alarm: #fdba74;
          --mark: #5fd3b0; }
  .drawn svg, .drawn img { filter: invert(0.92) hue-rotate(180deg); }
}
* { box-sizing: border-box; }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: var(--ink);
       background: var(--paper); overflow-wrap: break-word;
       font: 16px/1.5 system-ui, "Noto Sans CJK JP", "Noto Sans JP", "Hiragino Sans", "Yu Gothic",
             sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--faint); break-after: avoid; }
p { white-space: pre-line; max-width: 52rem; }
nav { font-size: .9rem; line-height: 2; } nav a { color: inherit; margin-right: 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--faint); text-align: left;
         vertical-align: top; }
td { white-space: pre-line; } th { background: var(--band); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; } td:last-child:not(.number) { min-width: 11rem; }
figure { display: inline-block; vertical-align: top; width: min(100%, var(--width, 100%));
         margin: 1rem .5rem .5rem 0; break-inside: avoid; overflow-x: auto; }
svg, img { display: block; width: 100%; height: auto; min-width: calc(var(--width, 0px) * 0.64); }
figure img { background: #ffffff; }
figcaption { font-size: .9rem; opacity: .85; }
.verdict { border-left: 4px solid var(--mark); padding: .2rem 1rem; background: var(--band);
           font-size: 1.1rem; }
.warnings { border-left: 4px solid var(--alarm); padding: .2rem 1rem; background: var(--band); }
@media (max-width: 40rem) {
  body { margin-top: 1rem; } th, td { padding: .3rem .5rem; } table { font-size: .9rem; }
}
@media print {
  body { margin: 0; max-width: none; font-size: 10pt; } nav { display: none; }
  h2 { margin-top: 1.2rem; } .scroll, figure { overflow: visible; }
  figure { max-width: 48%; } figure.wide, .photo { max-width: 100%; }
  svg, img { min-width: 0; max-height: 24cm; } tr { break-inside: avoid; }
  th, td { padding: .15rem .4rem; } table { font-size: .85em; }
}
)";

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

// Two of the others stand side by side on paper.
bool is_wide(const std::string& pixels) { return std::atoi(pixels.c_str()) > 700; }

// What its header says; nothing where there is none.
std::string png_width(std::string_view bytes) {
  constexpr size_t at = 16;
  if (bytes.size() < at + 4) return {};
  uint32_t width = 0;
  for (size_t i = 0; i < 4; ++i) width = width << 8 | static_cast<unsigned char>(bytes[at + i]);
  return std::to_string(width);
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

}  // namespace

HtmlPage::HtmlPage(const std::string& title, DrawOptions options)
    : title_(html_text(title)), options_(std::move(options)) {}

HtmlPage& HtmlPage::heading(const std::string& text) {
  const std::string name = fmt::format("s{}", ++headings_);
  body_ += fmt::format("<h2 id=\"{}\">{}</h2>\n", name, html_text(text));
  contents_ += fmt::format("<a href=\"#{}\">{}</a> ", name, html_text(text));
  return *this;
}

HtmlPage& HtmlPage::text(const std::string& paragraph) {
  body_ += "<p>" + html_text(paragraph) + "</p>\n";
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
                           html_text(cells[i]));
    body_ += "</tr>\n";
  };
  body_ += "<div class=\"scroll\"><table>";
  if (!caption.empty()) body_ += "<caption>" + html_text(caption) + "</caption>";
  body_ += "<thead>";
  add_row(table.header, "th");
  body_ += "</thead><tbody>\n";
  for (const auto& row : table.rows) add_row(row, "td");
  body_ += "</tbody></table></div>\n";
  return *this;
}

HtmlPage& HtmlPage::figure(const Figure& figure, const std::string& caption) {
  return svg(draw(figure, Format::svg, options_), figure.title, caption, figure.photo);
}

HtmlPage& HtmlPage::svg(const std::string& bytes, const std::string& alternative_text,
                        const std::string& caption, bool photo) {
  const auto [element, width] =
      inline_svg(bytes, fmt::format("p{}-", ++pictures_), alternative_text, photo);
  return image(element, width, caption, photo);
}

HtmlPage& HtmlPage::png(const std::string& bytes, const std::string& alternative_text,
                        const std::string& caption, bool photo) {
  return image(fmt::format("<img alt=\"{}\" src=\"data:image/png;base64,{}\">",
                           html_text(alternative_text), base64(bytes)),
               png_width(bytes), caption, photo);
}

HtmlPage& HtmlPage::image(const std::string& element, const std::string& width,
                          const std::string& caption, bool photo) {
  body_ += fmt::format(
      "<figure class=\"{}{}\"{}>{}{}</figure>\n", photo ? "photo" : "drawn",
      is_wide(width) ? " wide" : "",
      width.empty() ? "" : fmt::format(" style=\"--width:{}px\"", html_text(width)), element,
      caption.empty() ? "" : "<figcaption>" + html_text(caption) + "</figcaption>");
  return *this;
}

HtmlPage& HtmlPage::verdict(const std::vector<std::string>& sentences) {
  verdict_.clear();
  for (const auto& sentence : sentences) verdict_ += "<p>" + html_text(sentence) + "</p>\n";
  if (!verdict_.empty()) verdict_ = "<div class=\"verdict\">\n" + verdict_ + "</div>\n";
  return *this;
}

HtmlPage& HtmlPage::warnings(const std::vector<std::string>& lines) {
  if (lines.empty()) return *this;
  body_ += "<div class=\"warnings\"><ul>\n";
  for (const auto& line : lines) body_ += "<li>" + html_text(line) + "</li>\n";
  body_ += "</ul></div>\n";
  return *this;
}

std::string HtmlPage::html() const {
  constexpr int worth_a_list = 4;  // headings
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n"
      "<body>\n<h1>{0}</h1>\n{2}{3}{4}</body>\n</html>\n",
      title_, page_style, verdict_,
      headings_ < worth_a_list ? "" : fmt::format("<nav>{}</nav>\n", contents_), body_);
}

void HtmlPage::save(const std::filesystem::path& path) const {
  io::write_file_atomically(path, html());
}

}  // namespace mtl::report
