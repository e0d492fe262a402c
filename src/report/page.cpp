#include "mtl/report/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "glossary.hpp"
#include "inline_svg.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/file.hpp"
#include "script.hpp"

namespace mtl::report {
namespace {

constexpr size_t most_rows = 300;         // of a table in the page
constexpr size_t most_bytes = 1'900'000;  // of the page
constexpr size_t small_enough = 160'000;  // for a picture as SVG, which stays sharp on paper

// "/home/me/data/a.csv:3" becomes "a.csv:3": where a page was made is nobody's business.
std::string without_folders(std::string_view text) {
  constexpr std::string_view ends = " \t\n\"'`,;()[]{}<>|";
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const bool begins = at == 0 || ends.find(text[at - 1]) != std::string_view::npos ||
                        text[at - 1] == '=' || text[at - 1] == ':';
    if (text[at] != '/' || !begins) {
      result += text[at++];
      continue;
    }
    const size_t end = std::min(text.find_first_of(ends, at), text.size());
    std::string_view path = text.substr(at, end - at);
    while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    const size_t last = path.rfind('/');
    const bool is_path = path.size() > 1 && path[1] != '/';  // neither "/" nor "//"
    result += is_path ? path.substr(last + 1) : text.substr(at, end - at);
    at = end;
  }
  return result;
}

std::string shown_text(const std::string& text) { return clean_text(without_folders(text)); }

std::vector<std::string> shown_texts(const std::vector<std::string>& texts) {
  std::vector<std::string> result;
  for (const std::string& text : texts) result.push_back(shown_text(text));
  return result;
}

TextTable shown_table(const TextTable& table) {
  TextTable result{shown_texts(table.header), {}};
  for (const auto& row : table.rows) result.rows.push_back(shown_texts(row));
  return result;
}

io::Json json_of_piece(const Section::Piece& piece) {
  if (const auto* text = std::get_if<std::string>(&piece)) return {{"text", shown_text(*text)}};
  if (const auto* table = std::get_if<Section::Table>(&piece)) {
    const TextTable shown = shown_table(table->table);
    return {{"table", shown_text(table->caption)}, {"header", shown.header}, {"rows", shown.rows}};
  }
  const auto& picture = std::get<Section::Picture>(piece);
  io::Json json = {{"picture", clean_text(picture.file)},
                   {"title", shown_text(picture.figure.title)}};
  if (!picture.caption.empty()) json["caption"] = shown_text(picture.caption);
  if (!picture.figure.values.empty()) json["values"] = io::parse_json(picture.figure.values);
  return json;
}

// All that a reader sees, without the pictures' values.
std::string all_words(const Page& page) {
  std::string text;
  const auto add = [&](const std::string& more) { text += more + '\n'; };
  for (const auto& sentence : page.verdict) add(sentence);
  for (const Section& section : page.sections) {
    add(section.title);
    for (const auto& piece : section.pieces) {
      if (const auto* paragraph = std::get_if<std::string>(&piece)) add(*paragraph);
      if (const auto* table = std::get_if<Section::Table>(&piece)) {
        add(table->caption);
        for (const auto& cell : table->table.header) add(cell);
        for (const auto& row : table->table.rows)
          for (const auto& cell : row) add(cell);
      }
      if (const auto* picture = std::get_if<Section::Picture>(&piece)) {
        add(picture->figure.title);
        add(picture->caption);
      }
    }
  }
  for (const auto& warning : page.warnings) add(warning);
  return text;
}

// A second picture of one name gets another.
void give_own_names(Page& page) {
  std::set<std::string> names;
  for (Section& section : page.sections)
    for (auto& piece : section.pieces)
      if (auto* picture = std::get_if<Section::Picture>(&piece)) {
        std::string name = picture->file;
        for (int n = 2; !names.insert(name).second; ++n)
          name = fmt::format("{}_{}", picture->file, n);
        picture->file = name;
      }
}

struct Drawn {
  std::string svg, png;
  enum class Shown { as_svg, as_png, not_at_all } shown = Shown::as_svg;

  size_t bytes() const {
    return shown == Shown::as_svg ? svg.size() : shown == Shown::as_png ? png.size() * 4 / 3 : 0;
  }
};

/// Draws the pictures of a page, each once a format.
class Pictures {
 public:
  Pictures(const Page& page, const std::filesystem::path& directory, const DrawOptions& options,
           ReportFiles& files) {
    try {
      draw({"probe", "plot x\n", 100, 100}, Format::svg, options);
    } catch (const NoGnuplot& error) {
      files.without_pictures = error.what();
      return;
    }
    for (const Section& section : page.sections)
      for (const auto& piece : section.pieces)
        if (const auto* picture = std::get_if<Section::Picture>(&piece)) {
          Drawn& drawn = drawn_.emplace_back();
          drawn.svg = draw(picture->figure, Format::svg, options);
          drawn.png = draw(picture->figure, Format::png, options);
          for (const auto& [extension, bytes] :
               {std::pair(".png", &drawn.png), std::pair(".svg", &drawn.svg)}) {
            files.pictures.push_back(directory / (picture->file + extension));
            io::write_file_atomically(files.pictures.back(), *bytes);
          }
          if (drawn.svg.size() > small_enough && drawn.svg.size() > drawn.png.size() * 4 / 3)
            drawn.shown = Drawn::Shown::as_png;
        }
  }

  /// Makes the largest ones smaller until all of them together are.
  void fit(size_t bytes) {
    while (true) {
      size_t sum = 0;
      Drawn* largest = nullptr;
      for (Drawn& drawn : drawn_) {
        sum += drawn.bytes();
        if (largest == nullptr || drawn.bytes() > largest->bytes()) largest = &drawn;
      }
      if (sum <= bytes) return;
      const bool smaller_as_png = largest->shown == Drawn::Shown::as_svg &&
                                  largest->png.size() * 4 / 3 < largest->svg.size();
      largest->shown = smaller_as_png ? Drawn::Shown::as_png : Drawn::Shown::not_at_all;
    }
  }

  /// In the order of the page.
  const Drawn* next() { return at_ < drawn_.size() ? &drawn_[at_++] : nullptr; }

 private:
  std::vector<Drawn> drawn_;
  size_t at_ = 0;
};

void add_table(HtmlPage& html, const Section::Table& table) {
  TextTable shown = shown_table(table.table);
  const size_t rows = shown.rows.size();
  if (rows > most_rows) shown.rows.resize(most_rows);
  html.table(shown, shown_text(table.caption));
  if (rows > most_rows)
    html.text(fmt::format("The first {} of {} rows; report.json has all.", most_rows, rows));
}

void add_picture(HtmlPage& html, const Section::Picture& picture, const Drawn& drawn) {
  const std::string title = shown_text(picture.figure.title), caption = shown_text(picture.caption);
  switch (drawn.shown) {
    case Drawn::Shown::as_svg:
      html.svg(drawn.svg, title, caption, picture.figure.photo);
      break;
    case Drawn::Shown::as_png:
      html.png(drawn.png, title, caption, picture.figure.photo);
      break;
    case Drawn::Shown::not_at_all:
      html.text(fmt::format("{}: too large for this page, see {}.png beside it.", title,
                            clean_text(picture.file)));
      break;
  }
}

// `pictures`: those to be shown; null: none are.
HtmlPage html_of(const Page& page, Pictures* pictures) {
  HtmlPage html(shown_text(page.title));
  html.verdict(shown_texts(page.verdict));
  for (const Section& section : page.sections) {
    if (section.pieces.empty()) continue;
    html.heading(shown_text(section.title));
    for (const auto& piece : section.pieces) {
      if (const auto* text = std::get_if<std::string>(&piece)) html.text(shown_text(*text));
      if (const auto* table = std::get_if<Section::Table>(&piece)) add_table(html, *table);
      if (const auto* picture = std::get_if<Section::Picture>(&piece)) {
        const Drawn* drawn = pictures ? pictures->next() : nullptr;
        if (drawn != nullptr) add_picture(html, *picture, *drawn);
      }
    }
  }
  if (const auto words = words_in(all_words(page)); !words.empty()) {
    TextTable table{{"word", "what it means"}, {}};
    for (const auto& [word, meaning] : words) table.rows.push_back({word, meaning});
    html.heading("Words").table(table);
  }
  if (!page.warnings.empty()) html.heading("Warnings").warnings(shown_texts(page.warnings));
  return html;
}

}  // namespace

Section& Section::text(std::string paragraph) {
  pieces.emplace_back(std::move(paragraph));
  return *this;
}

Section& Section::table(TextTable table, std::string caption) {
  pieces.emplace_back(Table{std::move(table), std::move(caption)});
  return *this;
}

Section& Section::picture(std::string file, Figure figure, std::string caption) {
  pieces.emplace_back(Picture{std::move(file), std::move(figure), std::move(caption)});
  return *this;
}

Section& Page::section(std::string section_title) {
  return sections.emplace_back(Section{std::move(section_title), {}});
}

io::Json page_json(const Page& page) {
  io::Json json = {{"title", shown_text(page.title)},
                   {"verdict", shown_texts(page.verdict)},
                   {"sections", io::Json::array()},
                   {"words", io::Json::object()},
                   {"warnings", shown_texts(page.warnings)}};
  for (const Section& section : page.sections) {
    if (section.pieces.empty()) continue;
    io::Json pieces = io::Json::array();
    for (const auto& piece : section.pieces) pieces.push_back(json_of_piece(piece));
    json["sections"].push_back({{"title", shown_text(section.title)}, {"pieces", pieces}});
  }
  for (const auto& [word, meaning] : words_in(all_words(page))) json["words"][word] = meaning;
  return json;
}

ReportFiles write_page(const Page& given, const std::filesystem::path& directory,
                       const DrawOptions& options) {
  io::make_folder(directory);
  ReportFiles files;
  Page page = given;
  give_own_names(page);
  Pictures pictures(page, directory, options, files);
  if (!files.without_pictures.empty()) page.warnings.push_back(files.without_pictures);
  const size_t text_bytes = html_of(page, nullptr).html().size();
  pictures.fit(most_bytes - std::min(most_bytes, text_bytes));
  files.page = directory / "report.html";
  html_of(page, &pictures).save(files.page);
  files.json = directory / "report.json";
  io::write_json(files.json, page_json(page));
  return files;
}

}  // namespace mtl::report
