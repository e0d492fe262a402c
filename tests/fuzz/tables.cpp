#include <algorithm>

#include "mtl/data/table.hpp"
#include "mtl/io/arff.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/iso_date.hpp"
#include "target.hpp"

// Tables as CSV and ARFF, and the encodings of their text.

namespace fuzz {
namespace {

void use(const mtl::Table& table, std::string_view file) {
  const auto& columns = table.columns();
  const auto texts = table.text_columns(columns);
  for (const auto& column : texts)
    require(column.size() == static_cast<size_t>(table.rows()), "a column of another length");
  for (size_t c = 0; c < std::min<size_t>(columns.size(), 8); ++c)
    reads(file, [&] { table.numbers(columns[c]); });
  reads(file, [&] { table.numbers("no such column"); });
  table.where(table.rows() - 1, columns.back());
}

}  // namespace

void csv(std::string_view bytes) {
  using mtl::io::CsvReader;
  reads("t.csv", [&] {
    for (CsvReader row(bytes, "t.csv"); row.next();) {
      std::vector<std::string> cells;
      for (const std::string_view cell : row.cells()) {
        cells.emplace_back(cell);
        double number = 0;
        int64_t whole = 0;
        mtl::io::parse_number(cell, number);
        mtl::io::parse_number(cell, whole);
        mtl::io::parse_iso_date(cell, number);
      }
      const std::string written = mtl::io::csv_row(cells);
      CsvReader again(written, "t.csv");
      require(again.next() && std::equal(cells.begin(), cells.end(), again.cells().begin(),
                                         again.cells().end()),
              "a row that reads back as another", written);
    }
  });
  reads("t.csv", [&] {
    const char separator = mtl::Table::any_separator;
    use(mtl::Table::parse(std::string(bytes), "t.csv", {.separator = separator}), "t.csv");
  });
}

void arff(std::string_view bytes) {
  mtl::io::Arff arff;
  if (!reads("t.arff", [&] { arff = mtl::io::parse_arff(bytes, "t.arff"); })) return;
  const auto lines = std::count(bytes.begin(), bytes.end(), '\n') +
                     (!bytes.empty() && bytes.back() != '\n' ? 1 : 0);
  require(std::count(arff.csv.begin(), arff.csv.end(), '\n') == lines, "a line moved", arff.csv);
  reads("t.arff",
        [&] { use(mtl::Table::parse(arff.csv, "t.arff", {.columns = arff.columns}), "t.arff"); });
}

void text(std::string_view bytes) {
  using mtl::io::decode_text, mtl::io::TextEncoding;
  for (const auto encoding : {TextEncoding::automatic, TextEncoding::utf8, TextEncoding::cp932})
    reads("t.txt", [&] {
      const std::string text = decode_text(std::string(bytes), encoding, "t.txt");
      // What was decoded is UTF-8; a mark at its beginning would be one of the text's own.
      require(decode_text("x" + text, TextEncoding::utf8, "again") == "x" + text, "not UTF-8",
              text);
    });
}

}  // namespace fuzz
