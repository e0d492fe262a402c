#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/train/tables/table_model.hpp"

namespace {

/// Prices are three times the area; a house is large above 100.
mtl::Table plain_houses(int rows) {
  std::string csv = "id,area,town,price,large\n";
  for (int i = 0; i < rows; ++i) {
    const int area = 50 + 37 * i % 100;
    csv += std::to_string(i) + "," + std::to_string(area) + "," + (i % 3 == 0 ? "Elm" : "Oak") +
           "," + (i % 7 == 5 ? "" : std::to_string(3 * area)) + "," + (area > 100 ? "yes" : "no") +
           "\n";
  }
  return mtl::Table::parse(csv, "houses.csv");
}

mtl::TableData plain_data(int rows) {
  return mtl::TableData::read(plain_houses(rows), {"price:regression", "large:binary"}, {"id"});
}

const mtl::TableLearning quick{.seed = 1,
                               .epochs = 40,
                               .networks = 2,
                               .recipes = {{.name = "own", .width = 16, .dropout = 0}}};

}  // namespace

TEST_CASE("TableModel: learns columns in their units") {
  const mtl::TableData data = plain_data(80);
  CHECK(data.inputs.size() == 2);
  auto [model, tried] = mtl::learn_table(data, torch::arange(60), quick);
  REQUIRE(tried.size() == 1);
  CHECK(model.epochs == tried[0].epoch);
  const mtl::NamedTensors found = model.predict(data.inputs);
  CHECK(found["large"].sizes() == torch::IntArrayRef({80, 2}));
  CHECK(found["large"].sum(1).allclose(torch::ones({80}, torch::kDouble)));
  const auto unseen = torch::arange(60, 80);
  const auto error = (found["price"] - data.targets["price"]).index_select(0, unseen);
  const auto around = data.targets["price"] - data.targets["price"].nanmean();
  CHECK(error.square().nanmean().item<double>() < 0.3 * around.square().nanmean().item<double>());
}

TEST_CASE("TableModel: learning draws from its seed alone, and from nobody else's generator") {
  const mtl::TableData data = plain_data(40);
  const auto rows = torch::arange(30), valid = torch::arange(30, 40);
  torch::manual_seed(5);
  const auto next = torch::rand({1});
  torch::manual_seed(5);
  auto one = mtl::learn_table(data, rows, valid, quick.recipes[0], quick);
  CHECK(torch::rand({1}).equal(next));
  auto two = mtl::learn_table(data, rows, valid, quick.recipes[0], quick);
  CHECK(one.predict(data.inputs)["price"].equal(two.predict(data.inputs)["price"]));
}

TEST_CASE("TableModel: rows of weight 0 are left out, of scales and encodings too") {
  mtl::TableData data = plain_data(40);
  auto quickly = quick;
  quickly.epochs = 3;
  const auto of_rows = [&](const torch::Tensor& rows) {
    auto model = mtl::learn_table(data, rows, quickly).model;
    auto stopped = mtl::learn_table(data, rows, torch::arange(30, 39), quick.recipes[0], quickly);
    return torch::cat({model.predict(data.inputs)["price"], stopped.predict(data.inputs)["price"]});
  };
  data.weights = torch::ones({40});
  const auto without = of_rows(torch::arange(30));
  data.weights[39] = 0;
  data.targets["price"][39] = 1e9;
  CHECK(of_rows(torch::cat({torch::arange(30), torch::tensor({39})})).equal(without));
}

TEST_CASE("TableModel: options that make no sense are named") {
  const mtl::TableData data = plain_data(20);
  const auto error_of = [&](mtl::TableLearning options) {
    return error_text([&] { mtl::learn_table(data, torch::arange(20), options); });
  };
  CHECK(contains(error_of({.recipes = {}}), "no recipe"));
  CHECK(contains(error_of({.networks = 0}), "0 networks"));
  CHECK(contains(error_of({.combiner = "summ"}), "summ"));
  CHECK(contains(error_text([] { mtl::table_recipe("big"); }), "there are: plain, careful"));
  CHECK(mtl::table_recipes({"fine", "plain"}).at(0).bins == 32);
  CHECK(mtl::table_recipes({}).size() == mtl::table_recipes().size());
  CHECK(contains(error_text([&] {
                   mtl::TableData::read(plain_houses(9), {"price:regression"},
                                        {"id", "area", "town", "large"});
                 }),
                 "left to learn from"));
}
