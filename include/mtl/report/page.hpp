#pragma once

#include <deque>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "mtl/io/json.hpp"
#include "mtl/report/figure.hpp"
#include "mtl/report/html.hpp"

namespace mtl::report {

/// A part of a page: texts, tables and pictures below a heading, in the order they were added.
struct Section {
  struct Table {
    TextTable table;
    std::string caption;
  };
  struct Picture {
    std::string file;  ///< its name beside the page, without extension
    Figure figure;
    std::string caption;
  };
  using Piece = std::variant<std::string, Table, Picture>;

  std::string title = {};
  std::vector<Piece> pieces = {};

  Section& text(std::string paragraph);
  Section& table(TextTable table, std::string caption = {});
  Section& picture(std::string file, Figure figure, std::string caption = {});
};

/// A report as a value: what a run, a comparison or a program of one's own fills and `write_page`
/// writes.
struct Page {
  std::string title = {};
  std::vector<std::string> verdict = {};   ///< stands first: what came out, in words
  std::vector<Section> sections = {};      ///< those without a piece are left out
  std::vector<std::string> warnings = {};  ///< stand last

  Section& section(std::string section_title);  ///< adds one
};

/// The files that were written.
struct ReportFiles {
  std::filesystem::path page = {}, json = {};
  std::vector<std::filesystem::path> pictures = {};
  std::string without_pictures = {};  ///< why there are none; empty: they were drawn
};

/// Everything that the page says, for programs: title, verdict, sections with their texts, tables
/// and what the pictures show (Figure::values), the words that it explains, warnings.
io::Json page_json(const Page& page);

/// Writes into `directory` (made where needed) report.html, one file that needs no network and
/// stays below 2 MB, report.json with the same figures, and the pictures as PNG and SVG.
/// Abbreviations that the library knows are explained at the end; absolute paths are shown by their
/// last part.
/// A picture that is too large for the page as SVG stands there as PNG, or is left out with a word;
/// a table of more than 300 rows is cut with a word. Without gnuplot the page says so and has none.
/// Error: what gnuplot says of a picture that it cannot draw; a table that is not one.
ReportFiles write_page(const Page& page, const std::filesystem::path& directory,
                       const DrawOptions& options = {});

}  // namespace mtl::report
