#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/data/label_encoder.hpp"
#include "mtl/data/target_columns.hpp"

namespace {

mtl::Table sold_houses() {
  return mtl::Table::parse("price,kind,sold,trust\n10,b,yes,1\n,a,no,0.5\n30,,yes,2\n20,c,,0\n",
                           "houses.csv");
}

}  // namespace

TEST_CASE("Target columns: numbers in units, classes in the order of the alphabet, NaN and -100") {
  auto columns = mtl::parse_target_columns({"price:regression", "kind:classes", "sold:binary"});
  const mtl::NamedTensors truth = mtl::read_targets(sold_houses(), columns);
  CHECK(truth["price"].isnan().equal(torch::tensor({false, true, false, false})));
  CHECK(truth["kind"].equal(torch::tensor({1, 0, -100, 2}, torch::kInt64)));
  CHECK(columns[1].classes == std::vector<std::string>{"a", "b", "c"});
  CHECK(columns[0].outputs() == 1);
  CHECK(columns[2].outputs() == 2);

  const torch::Tensor rows = torch::tensor({0, 1, 2});  // 10, nothing and 30
  const mtl::NamedTensors scaled = mtl::scaled_targets(columns, truth, rows);
  CHECK(columns[0].mean == Approx(20));
  CHECK(columns[0].scale == Approx(10));
  CHECK(scaled["price"].sizes() == torch::IntArrayRef({4, 1}));
  CHECK(scaled["price"][3].item<float>() == Approx(0));
  CHECK(scaled["kind"].equal(truth["kind"]));
}

TEST_CASE("Target columns: classes that were learnt stay") {
  auto columns = mtl::parse_target_columns({"price:regression", "kind:classes"});
  mtl::read_targets(sold_houses(), columns);
  const auto other = mtl::Table::parse("kind,price\nc,1\nz,2\n", "new.csv");
  const mtl::NamedTensors truth = mtl::read_targets(other, columns);
  CHECK(truth["kind"].equal(torch::tensor({2, -100}, torch::kInt64)));
}

TEST_CASE("Target columns: a name without a type, or a column that does not fit, says so") {
  const auto parsed = [](std::vector<std::string> texts) {
    return error_text([&] { mtl::parse_target_columns(texts); });
  };
  CHECK(contains(parsed({"price"}), "found the type \"\""));
  CHECK(contains(parsed({"a:b:number"}), "task a:b:number"));
  CHECK(contains(parsed({"a:binary", "a:classes"}), "column \"a\" is a task already"));
  const auto read = [](const std::string& text) {
    return error_text([&] {
      auto columns = mtl::parse_target_columns({text});
      mtl::read_targets(sold_houses(), columns);
    });
  };
  CHECK(contains(read("kind:regression"),
                 "needs numbers: houses.csv, line 2, column 2 (\"kind\"): \"b\" is not a number"));
  CHECK(contains(read("kind:binary"),
                 "line 5, column \"kind\": \"c\" is a third value beside "
                 "\"b\" and \"a\""));
  CHECK(contains(read("prize:classes"), "no column \"prize\"; it has: price"));
  CHECK(contains(error_text([] {
                   auto columns = mtl::parse_target_columns({"x:classes"});
                   mtl::read_targets(mtl::Table::parse("x\nq\n\nq\n", "t"), columns);
                 }),
                 "its only value is \"q\""));
}

TEST_CASE("Target columns: weights are numbers of at least 0; all other columns by name") {
  const mtl::Table table = sold_houses();
  CHECK(mtl::read_weights(table, "trust").equal(torch::tensor({1.0F, 0.5F, 2.0F, 0.0F})));
  CHECK(contains(error_text([&] { mtl::read_weights(table, "price"); }),
                 "line 3, column \"price\": a weight is"));
  CHECK(mtl::columns_but(table, {"sold", "price"}) == std::vector<std::string>{"kind", "trust"});
  CHECK(contains(error_text([&] { mtl::columns_but(table, {"trusts"}); }), "no column \"trusts\""));
}

TEST_CASE("Target columns: what cannot be scaled is an error that names the column") {
  auto columns = mtl::parse_target_columns({"price:regression"});
  const mtl::NamedTensors truth = mtl::read_targets(sold_houses(), columns);
  const auto scaled = [&](std::vector<int64_t> rows) {
    return error_text([&] { mtl::scaled_targets(columns, truth, torch::tensor(rows)); });
  };
  CHECK(contains(scaled({1}), "none of the 1 rows to learn from has a value of \"price\""));
  CHECK(contains(scaled({1, 4}), "no row 4 of 4"));
  CHECK(contains(
      error_text([&] { mtl::scaled_targets(columns, mtl::NamedTensors(), torch::arange(4)); }),
      "column \"price\" has no target"));
}

TEST_CASE("Target columns: weights that float32 would make 0 or infinite are refused") {
  const auto read = [](const std::string& cell) {
    const auto table = mtl::Table::parse("w\n1\n0\n" + cell + "\n", "w.csv");
    return error_text([&] { mtl::read_weights(table, "w"); });
  };
  for (const std::string lost : {"1e-50", "1e-40", "1e39"})
    CHECK(contains(read(lost), "w.csv, line 4, column \"w\": a weight above 0 lies between"));
  for (const std::string kept : {"2e-38", "3e38"}) CHECK(read(kept).empty());
}
