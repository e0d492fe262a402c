#pragma once

#include <string>
#include <string_view>

namespace mtl::report {

/// An element of an HTML page.
struct InlinePicture {
  std::string element;
  std::string width;  // as it was drawn, pixels
};

/// A picture that gnuplot drew as an element of an HTML page: without prologue and namespaces, all
/// its names (ids) with `prefix` before them, so that pictures do not meet, and no ground where
/// the page's own may show. `alternative` says in words what it shows.
/// Error: it is no such picture.
InlinePicture inline_svg(std::string_view svg, const std::string& prefix,
                         const std::string& alternative, bool keep_ground);

/// Text in which nothing is markup, also between double quotes.
std::string html_text(std::string_view text);

}  // namespace mtl::report
