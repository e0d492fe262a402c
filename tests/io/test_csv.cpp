#include "mtl/io/csv.hpp"

#include <limits>

#include "catch.hpp"
#include "error_text.hpp"

using namespace mtl;

namespace {

using Cells = std::vector<std::vector<std::string>>;

Cells cells(std::string_view text, char separator = ',') {
  Cells result;
  for (io::CsvReader row(text, "t.csv", separator); row.next();)
    result.emplace_back(row.cells().begin(), row.cells().end());
  return result;
}

std::string csv_error(std::string_view text) {
  return error_text([&] { cells(text); });
}

}  // namespace

TEST_CASE("CsvReader: quotes, separators and line ends as RFC 4180 says") {
  CHECK(cells("a,b\n1,2\n") == Cells{{"a", "b"}, {"1", "2"}});
  CHECK(cells("a,b\r\n1,2") == Cells{{"a", "b"}, {"1", "2"}});
  CHECK(cells("\"x, y\",\"say \"\"hi\"\"\",\"\"\n") == Cells{{"x, y", "say \"hi\"", ""}});
  CHECK(cells("a,\r\n,\r\n\r\n") == Cells{{"a", ""}, {"", ""}, {""}});
  CHECK(cells("a;b,c", ';') == Cells{{"a", "b,c"}});
  CHECK(cells("").empty());

  const std::string text = "a,\"two\r\nlines\"\nb,c\n\n";
  io::CsvReader row(text, "t.csv");
  REQUIRE(row.next());
  CHECK(row.cells()[1] == "two\r\nlines");
  const auto second = row.place();
  REQUIRE(row.next());
  CHECK(row.line() == 3);
  CHECK(row.where(1) == "t.csv, line 3, column 2");
  CHECK_FALSE(row.blank());
  REQUIRE(row.next());
  CHECK(row.blank());
  CHECK_FALSE(row.next());
  CHECK_FALSE(row.next());

  io::CsvReader again(text, "t.csv", ',', second);
  REQUIRE(again.next());
  CHECK(again.cells()[0] == "b");
  CHECK(again.line() == 3);
}

TEST_CASE("CsvReader: what is no CSV is an error with line and column") {
  CHECK(contains(csv_error("a\nb,\"c\nd"),
                 "t.csv, line 2, column 2: the quote opened here is never"));
  CHECK(contains(csv_error("a,b\"c"), "line 1, column 2: a quote stands inside a cell"));
  CHECK(contains(csv_error("\"a\"b"), "line 1, column 1: text follows a closing quote"));
  CHECK(contains(csv_error("a\rb"), "a carriage return stands alone"));
  CHECK(contains(csv_error(std::string_view("a\0b", 3)), "there is a NUL"));
  CHECK(contains(csv_error(std::string_view("\"a\0\"", 4)), "there is a NUL"));
  for (const char separator : {'"', '\n', '\0'})
    CHECK(contains(error_text([&] { io::CsvReader("a", "t.csv", separator); }), "the separator"));
}

TEST_CASE("CsvReader: a row of nothing but separators is refused before it fills the memory") {
  CHECK(cells(std::string(io::most_cells - 1, ',')).front().size() == io::most_cells);
  CHECK(contains(csv_error("a\n" + std::string(io::most_cells, ',')),
                 "t.csv, line 2, column 4194305: the row has more than 4194304 cells"));
}

TEST_CASE("parse_number: the whole cell or nothing") {
  double number = 0;
  CHECK((io::parse_number(" -1.5e3 ", number) && number == -1500));
  CHECK((io::parse_number("+2", number) && number == 2));
  CHECK((io::parse_number("-1e-999", number) &&
         number == 0));  // too small is 0, too large is no number
  number = 7;
  for (const char* bad : {"", " ", "1,5", "1 2", "0x10", "inf", "nan", "+-1", "1e999"}) {
    INFO(bad);
    CHECK_FALSE(io::parse_number(bad, number));
    CHECK(number == 7);
  }
  int64_t whole = 7;
  CHECK((io::parse_number(" +12 ", whole) && whole == 12));
  CHECK((io::parse_number("-9223372036854775808", whole) && whole == INT64_MIN));
  for (const char* bad : {"", "1.0", "1e3", "9223372036854775808", "- 1", "1x"}) {
    INFO(bad);
    CHECK_FALSE(io::parse_number(bad, whole));
  }
}

TEST_CASE("CSV: quoting by RFC 4180, numbers that read back exactly") {
  CHECK(io::csv_row({"a", "b,c", "say \"x\"", "two\nlines", "", "気温"}) ==
        "a,\"b,c\",\"say \"\"x\"\"\",\"two\nlines\",,気温\n");
  CHECK(io::csv_row({}) == "\n");
  CHECK(io::csv_number(0.1) == "0.1");
  CHECK(io::csv_number(3) == "3");
  CHECK(io::csv_number(std::numeric_limits<double>::quiet_NaN()).empty());
  for (const double value : {1.0 / 3, -1e-300, 1.7976931348623157e308, 0.1 + 0.2})
    CHECK(std::stod(io::csv_number(value)) == value);
}

TEST_CASE("csv_row and CsvReader: a row of one empty cell is a row, a blank line is none") {
  CHECK(io::csv_row({""}) == "\"\"\n");
  CHECK(io::csv_row({"", ""}) == ",\n");
  const std::string text = "\"\"\n\n1\n";
  io::CsvReader row(text, "t.csv");
  REQUIRE(row.next());
  CHECK(row.cells() == std::vector<std::string_view>{""});
  CHECK_FALSE(row.blank());
  REQUIRE(row.next());
  CHECK(row.blank());
  REQUIRE(row.next());
  CHECK_FALSE(row.blank());
}
