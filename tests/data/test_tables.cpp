#include <fstream>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/data/data.hpp"
#include "temporary_folder.hpp"

namespace {

std::vector<std::vector<std::string>> cells(std::string_view text, char separator = ',') {
  std::vector<std::vector<std::string>> result;
  for (const auto& row : mtl::parse_csv(text, "t.csv", separator).rows) result.push_back(row.cells);
  return result;
}

using Cells = std::vector<std::vector<std::string>>;

std::string csv_error(std::string_view text) {
  return error_text([&] { mtl::parse_csv(text, "t.csv"); });
}

}  // namespace

TEST_CASE("parse_csv: quotes, separators and line ends as RFC 4180 says") {
  CHECK(cells("a,b\n1,2\n") == Cells{{"a", "b"}, {"1", "2"}});
  CHECK(cells("a,b\r\n1,2") == Cells{{"a", "b"}, {"1", "2"}});
  CHECK(cells("\"x, y\",\"say \"\"hi\"\"\",\"\"\n") == Cells{{"x, y", "say \"hi\"", ""}});
  CHECK(cells("a,\r\n,\r\n\r\n") == Cells{{"a", ""}, {"", ""}, {""}});
  CHECK(cells("a;b,c", ';') == Cells{{"a", "b,c"}});
  CHECK(cells("").empty());

  const auto csv = mtl::parse_csv("a,\"two\r\nlines\"\nb,c\n", "t.csv");
  CHECK(csv.rows[0].cells[1] == "two\r\nlines");
  CHECK(csv.rows[1].line == 3);
  CHECK(csv.where(csv.rows[1], 1) == "t.csv, line 3, column 2");
  CHECK(csv.ends_with_newline);
  CHECK_FALSE(mtl::parse_csv("a,b", "t.csv").ends_with_newline);
}

TEST_CASE("parse_csv: what is no CSV is an error with line and column") {
  CHECK(contains(csv_error("a\nb,\"c\nd"),
                 "t.csv, line 2, column 2: the quote opened here is never"));
  CHECK(contains(csv_error("a,b\"c"), "line 1, column 2: a quote stands inside a cell"));
  CHECK(contains(csv_error("\"a\"b"), "line 1, column 1: text follows a closing quote"));
  CHECK(contains(csv_error("a\rb"), "a carriage return stands alone"));
  CHECK(contains(csv_error(std::string_view("a\0b", 3)), "there is a NUL"));
}

TEST_CASE("decode_text: UTF-8 with and without a mark, CP932, and nothing by mistake") {
  const auto decode = [](std::string_view bytes) {
    return mtl::decode_text(bytes, mtl::TextEncoding::automatic, "t.txt");
  };
  CHECK(decode("\xEF\xBB\xBF天気") == "天気");
  CHECK(decode("天気") == "天気");
  CHECK(decode("\x93\x56\x8B\x43\x87\x75") == "天気㎡");  // ㎡ is not in strict SHIFT_JIS
  CHECK(decode("plain") == "plain");
  CHECK(contains(error_text([&] { decode("a\nb\x93"); }),
                 "t.txt, line 2, byte 2: the file ends in "));
  CHECK(contains(error_text([&] { decode("\xFD\xFD"); }), "neither UTF-8 nor CP932"));
  CHECK(contains(error_text([&] { decode("天気予報図\xE5\n"); }),
                 "line 1, byte 16: byte 0xE5 is not"));
  CHECK(contains(error_text([&] {
                   decode(
                       "\xFF\xFE"
                       "a");
                 }),
                 "is in UTF-16"));
  CHECK(contains(error_text([] { mtl::decode_text("\xC0\x80", mtl::TextEncoding::utf8, "t"); }),
                 "byte 0xC0 is not UTF-8"));
}

TEST_CASE("parse_number: the whole cell or nothing") {
  double number = 0;
  CHECK((mtl::parse_number(" -1.5e3 ", number) && number == -1500));
  CHECK((mtl::parse_number("+2", number) && number == 2));
  for (const char* bad : {"", " ", "1,5", "1 2", "0x10", "inf", "nan", "+-1", "1e999"}) {
    INFO(bad);
    CHECK_FALSE(mtl::parse_number(bad, number));
  }
}

TEST_CASE("Table: columns by name, typed when asked for") {
  TemporaryFolder folder;
  const auto path = folder / "houses.csv";
  std::ofstream(path, std::ios::binary)
      << "rooms,kind,area\r\n3,flat,70.5\r\n\r\n,house,NA\r\n5,,120\r\n";
  const auto table = mtl::Table::read(path);
  CHECK(table.rows() == 3);
  CHECK(table.columns() == std::vector<std::string>{"rooms", "kind", "area"});
  CHECK(table.has("kind"));
  CHECK_FALSE(table.has("Kind"));
  CHECK(table.texts("kind") == std::vector<std::string>{"flat", "house", ""});
  CHECK(table.line(1) == 4);

  const double nan = std::nan("");
  const auto expected = torch::tensor({{3.0, 70.5}, {nan, nan}, {5.0, 120.0}}, torch::kFloat64);
  CHECK(torch::allclose(table.matrix({"rooms", "area"}), expected, 0, 0, /*equal_nan=*/true));
  CHECK(table.numbers("rooms").scalar_type() == torch::kFloat64);

  CHECK(contains(error_text([&] { table.numbers("kind"); }),
                 "houses.csv, line 2, column 2 (\"kind\"): \"flat\" is not a number"));
  CHECK(contains(error_text([&] { table.numbers("price"); }),
                 "has no column \"price\"; it has: rooms, kind, area"));
}

TEST_CASE("Table: names of one's own, other separators and signs for missing values") {
  const auto table = mtl::Table::parse("1;?\n2;x\n", "t",
                                       {.separator = ';', .missing = {"?"}, .columns = {"n", "s"}});
  CHECK(table.texts("s") == std::vector<std::string>{"", "x"});
  CHECK(table.numbers("n").equal(torch::tensor({1.0, 2.0}, torch::kFloat64)));
}

TEST_CASE("Table: a file without a table is an error") {
  const auto error_of = [](std::string_view text) {
    return error_text([&] { mtl::Table::parse(text, "t.csv"); });
  };
  CHECK(contains(error_of(""), "t.csv is empty"));
  CHECK(contains(error_of("a,b\n"), "t.csv has no row of data"));
  CHECK(contains(error_of("a,b\n1,2\n3\n"), "t.csv, line 3: 1 cells where there are 2 columns"));
  CHECK(contains(error_of("a,a\n1,2\n"), "line 1, column 2: the column name \"a\" occurs twice"));
  CHECK(contains(error_of("a,\n1,2\n"), "column 2: the column has no name"));
  CHECK(contains(error_text([] { mtl::Table::read("/no/such.csv"); }),
                 "/no/such.csv cannot be read"));
}

TEST_CASE(
    "LabelEncoder: classes in order of appearance or sorted; empty names are missing labels") {
  const std::vector<std::string> labels = {"rain", "", "sun", "rain", "fog"};
  const auto encoder = mtl::LabelEncoder::learn(labels);
  CHECK(encoder.classes() == std::vector<std::string>{"rain", "sun", "fog"});
  CHECK(encoder.encode(labels).equal(torch::tensor({0L, -100L, 1L, 0L, 2L})));
  CHECK(encoder.decode(encoder.encode(labels)) == labels);
  const auto sorted = mtl::LabelEncoder::learn(labels, mtl::LabelOrder::sorted);
  CHECK(sorted.classes() == std::vector<std::string>{"fog", "rain", "sun"});

  const std::vector<std::string> other = {"sun", "snow"};
  CHECK(contains(error_text([&] { encoder.encode(other); }),
                 "label \"snow\" in row 1 is none of the classes rain, sun, fog"));
  CHECK(encoder.encode(other, mtl::UnknownLabel::missing).equal(torch::tensor({1L, -100L})));
  CHECK(contains(error_text([&] { encoder.decode(torch::tensor({3L})); }), "class 3 in row 0"));
  CHECK(contains(error_text([] { mtl::LabelEncoder({"a", "a"}); }), "\"a\" occurs twice"));
  CHECK(contains(error_text([] { mtl::LabelEncoder::learn(std::vector<std::string>{""}); }),
                 "are missing"));
}
