#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mtl/report/figure.hpp"

namespace mtl::report {

/// Rows of text; columns that hold only numbers are set to the right.
struct TextTable {
  std::vector<std::string> header = {};
  std::vector<std::vector<std::string>> rows = {};  ///< each as long as the header
};

/// One HTML file without links: pictures are embedded, it needs no network, reads in light and
/// dark, on a phone and on paper. All text is plain text and is escaped.
///
///     HtmlPage page("Weather of Tokyo");
///     page.heading("Temperature").table({{"metric", "validation"}, {{"MAE", "1.43"}}});
///     page.figure(prediction_scatter(plot)).save("run/report.html");
class HtmlPage {
 public:
  explicit HtmlPage(const std::string& title, DrawOptions options = {});

  HtmlPage& heading(const std::string& text);
  HtmlPage& text(const std::string& paragraph);
  HtmlPage& table(const TextTable& table, const std::string& caption = {});
  /// Draws and embeds a picture (SVG). Error, which leaves the page as it was: as `draw`.
  HtmlPage& figure(const Figure& figure, const std::string& caption = {});
  /// Embeds the bytes of a file; `photo` as in Figure.
  HtmlPage& png(const std::string& bytes, const std::string& alternative_text,
                const std::string& caption = {}, bool photo = true);
  /// Embeds an SVG picture that `draw` drew; `photo` as in Figure.
  HtmlPage& svg(const std::string& bytes, const std::string& alternative_text,
                const std::string& caption = {}, bool photo = false);
  /// What matters most, in a box that stands first, whenever it is given.
  HtmlPage& verdict(const std::vector<std::string>& sentences);
  /// A box that stands out; nothing where the list is empty.
  HtmlPage& warnings(const std::vector<std::string>& lines);

  std::string html() const;
  void save(const std::filesystem::path& path) const;

 private:
  HtmlPage& image(const std::string& element, const std::string& width, const std::string& caption,
                  bool photo);

  std::string title_, verdict_, contents_, body_;
  DrawOptions options_;
  int headings_ = 0, pictures_ = 0;
};

}  // namespace mtl::report
