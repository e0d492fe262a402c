#include "mtl/data/table_encoder.hpp"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "error_text.hpp"
#include "temporary_folder.hpp"

namespace {

using mtl::ColumnKind;

mtl::Table table_of(const std::string& csv) { return mtl::Table::parse(csv, "t.csv"); }

/// What the encoder makes of all columns of a table, in float64.
torch::Tensor encoded(const std::string& csv, mtl::TableEncoder::Options options = {}) {
  const mtl::Table table = table_of(csv);
  const auto columns = mtl::read_columns(table, table.columns());
  return mtl::TableEncoder(columns, {}, options).encode(columns).to(torch::kFloat64);
}

torch::Tensor row(std::vector<double> values) { return torch::tensor(values, torch::kFloat64); }

}  // namespace

TEST_CASE("Table: an ARFF file is a table whose errors name its own lines") {
  const TemporaryFolder folder;
  std::ofstream(folder / "t.arff") << "@relation t\n@attribute 'a b' real\n@attribute k {x,y}\n"
                                      "@data\n1,x\n?,y\n";
  const auto table = mtl::Table::read(folder / "t.arff");
  CHECK(table.columns() == std::vector<std::string>{"a b", "k"});
  CHECK(table.numbers("a b").isnan().sum().item<int64_t>() == 1);
  CHECK(contains(table.where(1, "k"), "t.arff, line 6, column \"k\""));
  CHECK(contains(error_text([&] { table.numbers("k"); }), "line 5"));
}

TEST_CASE("Table: the separator is found out, and a misspelt column gets the nearest names first") {
  const auto table = mtl::Table::parse("name;price\n\"a,b;c\";1\n", "t.csv",
                                       {.separator = mtl::Table::any_separator});
  CHECK(table.texts("name").front() == "a,b;c");
  CHECK(contains(error_text([&] { table.numbers("prize"); }), "it has: price, name"));
}

TEST_CASE("read_columns: numbers, dates and texts, as what every cell is") {
  const auto table = table_of("n,d,t,e\n1,2024-01-01,x,\n,2024-01-02 12:00,2,\n-3e2,,3,\n");
  const auto columns = mtl::read_columns(table, table.columns());
  CHECK(columns[0].kind == ColumnKind::numbers);
  CHECK(columns[0].values.isnan().equal(torch::tensor({false, true, false})));
  CHECK(columns[1].kind == ColumnKind::dates);
  CHECK(columns[1].values[1].item<double>() - columns[1].values[0].item<double>() == 1.5 * 86400);
  CHECK(columns[2].kind == ColumnKind::texts);
  CHECK(columns[2].texts == std::vector<std::string>{"x", "2", "3"});
  CHECK(mtl::read_columns(table, {"n"}, {ColumnKind::texts}).front().texts.front() == "1");
  CHECK(contains(error_text([&] { mtl::read_columns(table, {"t"}, {ColumnKind::numbers}); }),
                 "t.csv, line 2, column \"t\": \"x\" is not one of the numbers"));
}

TEST_CASE("TableEncoder: numbers by median and quartiles, bent in far out, missing ones marked") {
  // median 3, quartiles 2 and 4: scale 2 / 1.349
  const auto x = encoded("n\n1\n2\n3\n4\n5\nNA\n");
  CHECK(x.sizes().vec() == std::vector<int64_t>{6, 2});
  const double z = 2 * 1.349 / 2;
  CHECK(x[4][0].item<double>() == Approx(z / std::sqrt(1 + z * z / 9)));
  CHECK(x[0][0].item<double>() == Approx(-x[4][0].item<double>()));
  CHECK(x.slice(0, 4, 6).select(1, 1).equal(row({0, 1})));
  CHECK(x[5][0].item<double>() == 0);
  const auto far = encoded("n\n1\n2\n3\n4\n1e9\n");
  CHECK(far[4][0].item<double>() == Approx(3));
  const auto mostly = encoded("n\n0\n0\n0\n0\n0\n0\n0\n8\n");  // the quartiles are equal
  CHECK(mostly[7][0].item<double>() == Approx(2 / std::sqrt(1 + 4.0 / 9)));
}

TEST_CASE("TableEncoder: piecewise linear columns say how far a number has come") {
  const auto x = encoded("n\n0\n1\n2\n3\n4\n", {.bins = 2});
  CHECK(x.slice(1, 1, 3).equal(torch::tensor(
      {{0.0, 0.0}, {0.5, 0.0}, {1.0, 0.0}, {1.0, 0.5}, {1.0, 1.0}}, torch::kFloat64)));
}

TEST_CASE("TableEncoder: dates have a year's circle, a weekday and, with times, a day's circle") {
  const auto x = encoded("d\n2024-01-01\n2024-01-02\n2024-01-08\n");  // Mon, Tue, Mon
  CHECK(x.size(1) == 1 + 2 + 7);
  CHECK(x.slice(1, 3, 10).equal(torch::tensor(
      {{1., 0., 0., 0., 0., 0., 0.}, {0., 1., 0., 0., 0., 0., 0.}, {1., 0., 0., 0., 0., 0., 0.}},
      torch::kFloat64)));
  CHECK(x.slice(1, 1, 3).square().sum(1).allclose(torch::ones(3, torch::kFloat64)));
  const auto times = encoded("d\n2024-01-01 06:00\n2024-01-02\n2024-01-08\n");
  CHECK(times.size(1) == 12);
  CHECK(times[0][10].item<double>() == Approx(1));
}

TEST_CASE("TableEncoder: texts are one-hot; rare and unseen ones share a column") {
  const auto table = table_of("t\na\na\na\nb\nb\nc\nNA\n");
  const auto columns = mtl::read_columns(table, {"t"});
  const mtl::TableEncoder encoder(columns, {}, {.most_texts = 2});
  CHECK(encoder.size() == 4);  // a, b, others, missing
  const auto x = encoder.encode(columns).to(torch::kFloat64);
  CHECK(x[0].equal(row({1, 0, 0, 0})));
  CHECK(x[5].equal(row({0, 0, 1, 0})));
  CHECK(x[6].equal(row({0, 0, 0, 1})));
  const auto others = encoder.read(table_of("t,u\nc,1\nd,1\nd,1\n"));
  CHECK(encoder.encode(others)[1].to(torch::kFloat64).equal(row({0, 0, 1, 0})));
  CHECK(encoder.unseen(others) ==
        std::vector<std::string>{"column \"t\": 2 rows with texts that training has not seen, "
                                 "such as \"d\""});
  CHECK(encoder.unseen(columns).empty());
}

TEST_CASE("TableEncoder: learns from the rows it is told, and comes back from its JSON") {
  const auto table = table_of(
      "n,d,t\n1,2024-01-01,a\n2,2024-01-02,b\n4,2024-02-03,a\n900,,c\n,2024-03-01 01:00,\n");
  const auto columns = mtl::read_columns(table, table.columns());
  const auto rows = torch::tensor({0, 1, 2}, torch::kInt64);
  const mtl::TableEncoder encoder(columns, rows, {.bins = 3});
  const auto part = table_of("n,d,t\n1,2024-01-01,a\n2,2024-01-02,b\n4,2024-02-03,a\n");
  const auto part_columns = mtl::read_columns(part, part.columns());
  CHECK(encoder.encode(part_columns)
            .equal(mtl::TableEncoder(part_columns, {}, {.bins = 3}).encode(part_columns)));
  const auto again = mtl::TableEncoder::from_json(
      mtl::io::parse_json(mtl::io::json_text(encoder.json())), "m.json");
  CHECK(again.encode(columns).equal(encoder.encode(columns)));
  CHECK(again.size() == encoder.encode(columns).size(1));
  CHECK(again.unseen(columns) == encoder.unseen(columns));
  CHECK(contains(error_text([] { mtl::TableEncoder::from_json(mtl::io::Json(), "m.json"); }),
                 "m.json: a list of encoded columns"));
}

TEST_CASE("TableEncoder: columns that tell nothing are left out, and errors say what is wrong") {
  std::string csv = "id,same,n,empty\n";
  for (int i = 0; i < 40; ++i) csv += fmt::format("id{},x,{},\n", i, i);
  const auto table = table_of(csv);
  const auto columns = mtl::read_columns(table, table.columns());
  const mtl::TableEncoder encoder(columns);
  CHECK(encoder.columns() == std::vector<std::string>{"n"});
  CHECK(encoder.left_out() ==
        std::vector<std::string>{"\"id\": 40 different texts in 40 cells, such as \"id0\"",
                                 "\"same\": one value only", "\"empty\": one value only"});
  CHECK(contains(error_text([&] { mtl::TableEncoder({columns[1]}); }), "no column tells anything"));
  CHECK(contains(error_text([&] { mtl::TableEncoder(std::vector<mtl::TableColumn>()); }),
                 "there is no column"));
  CHECK(contains(error_text([&] { encoder.encode({columns[1]}); }), "column \"n\""));
  CHECK(contains(error_text([&] { encoder.read(table_of("m\n1\n")); }), "no column \"n\""));
}

TEST_CASE("TableEncoder: one number very far out leaves the others apart") {
  const auto spread_of = [](const std::string& odd) {
    std::string csv = "a\n";
    for (int i = 0; i < 40; ++i) csv += (i == 5 ? odd : std::to_string(i)) + "\n";
    const auto columns = mtl::read_columns(mtl::Table::parse(csv, "t.csv"), {"a"});
    const auto encoded = mtl::TableEncoder(columns).encode(columns);
    return (encoded[39][0] - encoded[0][0]).item<double>();
  };
  for (const std::string odd : {"1e20", "-9.96921e36", "1e308"})  // what stands for "missing"
    CHECK(spread_of(odd) == Approx(spread_of("5")).epsilon(0.1));
}

TEST_CASE("TableEncoder: a number beyond all squares is as far out as the others that are") {
  std::vector<mtl::TableColumn> columns{
      {"a", mtl::ColumnKind::numbers, torch::arange(40, torch::kFloat64)}};
  const mtl::TableEncoder encoder(columns);
  for (const double far : {1e20, 1e160, std::numeric_limits<double>::max()}) {
    columns[0].values = torch::tensor({far, -far}, torch::kFloat64);
    const auto encoded = encoder.encode(columns);
    CHECK(encoded[0][0].item<float>() == Approx(3));
    CHECK(encoded[1][0].item<float>() == Approx(-3));
  }
}

TEST_CASE("TableEncoder: columns of a program's own are real numbers of any type, or refused") {
  using mtl::ColumnKind;
  const auto values = torch::arange(40, torch::kFloat64);
  const auto encoded = [](const torch::Tensor& given) {
    const std::vector<mtl::TableColumn> columns{{"a", ColumnKind::numbers, given}};
    return mtl::TableEncoder(columns).encode(columns);
  };
  CHECK(encoded(values.to(torch::kFloat32)).equal(encoded(values)));
  CHECK(encoded(values.to(torch::kInt64)).equal(encoded(values)));
  CHECK(contains(error_text([&] { encoded({}); }), "column \"a\" holds numbers"));
  CHECK(contains(error_text([&] { encoded(values.unsqueeze(1)); }), "[40, 1]"));
  CHECK(contains(error_text([&] { encoded(values.masked_fill(values > 38, INFINITY)); }),
                 "column \"a\" is infinite"));
}
