#include <fstream>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/data/data.hpp"
#include "temporary_folder.hpp"

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
                 "has no column \"price\"; it has: kind, area, rooms"));
}

TEST_CASE("Table: names of one's own, other separators and signs for missing values") {
  const auto table = mtl::Table::parse("1;?\n2;x\n", "t",
                                       {.separator = ';', .missing = {"?"}, .columns = {"n", "s"}});
  CHECK(table.texts("s") == std::vector<std::string>{"", "x"});
  CHECK(table.numbers("n").equal(torch::tensor({1.0, 2.0}, torch::kFloat64)));
  CHECK(contains(error_text([] {
                   mtl::Table::parse("1,2\n", "t", {.columns = {"n", "n"}});
                 }),
                 "t, the names given, column 2: the column name \"n\" occurs twice"));
  CHECK(contains(error_text([] { mtl::Table::parse("a\n1\n", "t", {.separator = '\n'}); }),
                 "t: the separator"));
  CHECK(mtl::Table::parse("\xEF\xBB\xBFn\n1\n", "t").has("n"));
}

TEST_CASE("Table: lines of rows, past blank lines and cells of several lines") {
  std::string text = "n,s\n\n";
  std::vector<int64_t> lines;
  int64_t line = 3;
  for (int row = 0; row < 3000; ++row) {
    lines.push_back(line);
    text += row % 7 == 0 ? "1,\"a\nb\"\n\n" : "1,x\n";
    line += row % 7 == 0 ? 3 : 1;
  }
  const auto table = mtl::Table::parse(text, "t.csv");
  REQUIRE(table.rows() == 3000);
  for (const int64_t row : {0, 1, 7, 1023, 1024, 1025, 2047, 2048, 2999})
    CHECK(table.line(row) == lines[static_cast<size_t>(row)]);
  CHECK(contains(error_text([&] { table.line(3000); }), "3000 rows, but no row 3000"));
}

#ifdef __GLIBC__
TEST_CASE("Table: takes the size of its text, however short the cells are") {
  const auto in_use = [] {
    const auto memory = mallinfo2();
    return memory.uordblks + memory.hblkhd;
  };
  std::string text = "a,b,c\n";
  for (int row = 0; row < 300'000; ++row) text += "1,,x\n";
  const size_t size = text.size(), before = in_use();
  const auto table = mtl::Table::parse(std::move(text), "t.csv");
  CHECK(table.rows() == 300'000);
  CHECK(in_use() < before + size / 2);  // the text itself was there before
}
#endif

TEST_CASE("Table: a column holds what it is asked for, whatever the others are") {
  const auto table = mtl::Table::parse("a,b,a b\n1,\"x \"\"y\"\"\",\n-1e-400,,2\n", "t.csv");
  CHECK(table.texts("b") == std::vector<std::string>{"x \"y\"", ""});
  CHECK(table.numbers("a").equal(torch::tensor({1.0, 0.0}, torch::kFloat64)));
  CHECK(table.matrix({"a b", "a", "a"}).sizes().vec() == std::vector<int64_t>{2, 3});
  CHECK(contains(error_text([&] { table.numbers("b"); }), "\"x \"y\"\" is not a number"));
  const std::string long_cell(100'000, 'x');
  const auto big = mtl::Table::parse("a\n" + long_cell + "\n", "t.csv");
  CHECK(error_text([&] { big.numbers("a"); }).size() < 400);
}

TEST_CASE("Table: a file without a table is an error") {
  const auto error_of = [](std::string_view text) {
    return error_text([&] { mtl::Table::parse(std::string(text), "t.csv"); });
  };
  CHECK(contains(error_of(""), "t.csv is empty"));
  CHECK(contains(error_of("a,b\n"), "t.csv has no row of data"));
  CHECK(contains(error_of("a,b\n1,2\n3\n"), "t.csv, line 3: 1 cells where there are 2 columns"));
  CHECK(contains(error_of("a,a\n1,2\n"), "line 1, column 2: the column name \"a\" occurs twice"));
  CHECK(contains(error_of("a,\n1,2\n"), "column 2: the column has no name"));
  CHECK(contains(error_text([] { mtl::Table::read("/no/such.csv"); }),
                 "cannot read \"/no/such.csv\": No such file"));
}
