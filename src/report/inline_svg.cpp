#include "inline_svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mtl/core/error.hpp"
#include "script.hpp"

namespace mtl::report {
namespace {

constexpr std::string_view ground = "fill=\"#ffffff\"/>";

// Of an opening tag: names get the prefix, links lose their namespace.
std::string renamed(std::string tag, const std::string& prefix) {
  for (auto at = tag.find("xlink:href"); at != std::string::npos; at = tag.find("xlink:href", at))
    tag.erase(at, std::string_view("xlink:").size());
  constexpr std::array<std::string_view, 5> before_a_name = {" id='", " id=\"", "href='#",
                                                             "href=\"#", "url(#"};
  for (const std::string_view text : before_a_name)
    for (auto at = tag.find(text); at != std::string::npos; at = tag.find(text, at)) {
      at += text.size();
      tag.insert(at, prefix);
    }
  return tag;
}

// What stands between two tags: the line ends and indents between elements carry nothing.
std::string_view trimmed(std::string_view text) {
  return text.find_first_not_of(" \t\n") == std::string_view::npos ? text.substr(0, 0) : text;
}

}  // namespace

std::string html_text(std::string_view text) {
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

InlinePicture inline_svg(std::string_view svg, const std::string& prefix,
                         const std::string& alternative, bool keep_ground) {
  const auto root = svg.find("<svg"), box = svg.find("viewBox=\"", root),
             body = svg.find('>', root), end = svg.rfind("</svg>");
  if (root == std::string_view::npos || box == std::string_view::npos || box > body ||
      end == std::string_view::npos || end < body)
    throw Error("\"{}\" is no SVG picture that a page can take", alternative);
  const auto numbers = box + std::string_view("viewBox=\"").size();
  const std::string_view view = svg.substr(numbers, svg.find('"', numbers) - numbers);
  const std::string_view size = view.substr(view.find(' ', view.find(' ') + 1) + 1);
  std::string result = fmt::format("<svg role=\"img\" aria-label=\"{}\" viewBox=\"{}\">",
                                   html_text(alternative), view);
  std::string_view rest = svg.substr(body + 1, end - body - 1);
  bool ground_seen = keep_ground;
  while (!rest.empty()) {
    const auto open = std::min(rest.find('<'), rest.size());
    result += trimmed(rest.substr(0, open));
    rest.remove_prefix(open);
    if (rest.empty()) break;
    // Titles of its parts would stand beside the pointer.
    bool skipped = false;
    for (const std::string_view name : {"title", "desc"})
      if (rest.substr(1).starts_with(name)) {
        const std::string close = fmt::format("</{}>", name);
        const auto stop = rest.find(close);
        rest.remove_prefix(stop == std::string_view::npos ? rest.size() : stop + close.size());
        skipped = true;
      }
    if (skipped) continue;
    const auto stop = std::min(rest.find('>'), rest.size() - 1);
    const std::string_view tag = rest.substr(0, stop + 1);
    rest.remove_prefix(stop + 1);
    if (!ground_seen && tag.starts_with("<rect x=\"0\" y=\"0\"") && tag.ends_with(ground)) {
      ground_seen = true;
      continue;
    }
    result += renamed(std::string(tag), prefix);
  }
  return {result + "</svg>", std::string(size.substr(0, size.find(' ')))};
}

}  // namespace mtl::report
