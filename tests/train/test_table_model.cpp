#include <cmath>

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

TEST_CASE("TableModel: rows without any label are left out, few labels are no fault of the folds") {
  mtl::TableData data = plain_data(40);
  const auto labelled = torch::arange(0, 40, 8);  // 5 of 40
  data.tasks.pop_back();                          // "price" alone
  const auto price = torch::full({40}, std::nan(""), torch::kDouble);
  price.index_copy_(0, labelled,
                    torch::tensor({150.0, 180.0, 240.0, 300.0, 390.0}, torch::kDouble));
  data.targets = mtl::NamedTensors({{"price", price}});
  auto quickly = quick;
  quickly.epochs = 3;
  auto all = mtl::learn_table(data, torch::arange(40), quickly).model;
  auto some = mtl::learn_table(data, labelled, quickly).model;
  CHECK(all.predict(data.inputs)["price"].equal(some.predict(data.inputs)["price"]));
}

TEST_CASE("TableModel: Error: a task without a label among the rows, by its name; no rows") {
  mtl::TableData data = plain_data(40);
  data.targets["large"].slice(0, 0, 30).fill_(-100);
  const auto text = [&](const torch::Tensor& rows) {
    return error_text([&] { mtl::learn_table(data, rows, quick); });
  };
  CHECK(contains(text(torch::arange(30)), "task \"large\" has no label in the 30 rows"));
  CHECK(contains(error_text([&] {
                   mtl::learn_table(data, torch::arange(30), torch::arange(30, 40),
                                    quick.recipes[0], quick);
                 }),
                 "task \"large\" has no label"));
  CHECK(contains(text(torch::tensor({35})), "one row with a label"));
  data.weights = torch::zeros({40});
  CHECK(contains(text(torch::arange(40)), "none of a weight above 0"));
}
