#pragma once

// What the drawing functions of this room share to write gnuplot scripts.

#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mtl::report {

// Colours that people with any colour vision can tell apart (Okabe and Ito 2008), strongest first.
inline constexpr const char* colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                          "#e69f00", "#56b4e9", "#7f5539", "#000000"};
inline const char* colour(std::size_t i) { return colours[i % std::size(colours)]; }

/// Text with every byte sequence that is not UTF-8 replaced by U+FFFD and control characters (but
/// line ends) by spaces.
std::string clean_text(std::string_view text);

std::vector<std::string> clean_texts(const std::vector<std::string>& texts);

/// How wide text stands in units of a Latin letter; CJK characters count two.
int display_width(std::string_view text);

/// Text broken at spaces (or anywhere in words and CJK text that are too long) into lines of at
/// most `width` letters.
std::string wrapped(std::string_view text, int width);

/// Text cut to `width` letters, the cut shown by an ellipsis.
std::string shortened(std::string_view text, int width);

/// A gnuplot string that means exactly this text: nothing in it is a command, a format or an
/// escape.
std::string literal(std::string_view text);

/// The same for tic labels, which gnuplot takes for printf formats.
std::string tic_literal(std::string_view text);

/// A number that gnuplot reads back; NaN and infinities become its NaN.
std::string number(double value);

struct Range {
  double low, high;
};
/// The finite values' range; low > high where there are none.
Range range_of(std::span<const double> values);
Range united(Range a, Range b);
/// The range with a margin (a share of its width) on both sides, never empty.
Range padded(Range range, double margin);

class Script {
 public:
  template <class... A>
  Script& line(fmt::format_string<A...> format, A&&... arguments) {
    text_ += fmt::format(format, std::forward<A>(arguments)...);
    text_ += '\n';
    return *this;
  }
  /// Named points for a plot; one with a NaN becomes a gap. Returns the name.
  std::string points(std::span<const double> x, std::span<const double> y);
  /// Begins a grid of panels below a common title.
  Script& panels(const std::string& title, int rows, int columns);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  int blocks_ = 0;
};

/// The look that all plots share: grey frame without tics on the far sides, faint grid, legend
/// below the plot.
Script plain_plot();

}  // namespace mtl::report
