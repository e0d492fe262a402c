#include "mtl/evaluate/judged_table.hpp"

#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/evaluate/compare_table.hpp"
#include "temporary_folder.hpp"

namespace {

using Catch::Matchers::WithinAbs;

mtl::TableData table_of(int rows) {
  std::string csv = "x,y,kind\n";
  for (int i = 0; i < rows; ++i)
    csv += std::to_string(i) + "," + (i % 5 == 4 ? "" : std::to_string(i * i % 13)) + "," +
           (i % 3 == 0 ? "b" : "a") + "\n";
  return mtl::TableData::read(mtl::Table::parse(csv, "t.csv"), {"y:regression", "kind:binary"});
}

const mtl::TableLearning quick{
    .seed = 3, .epochs = 3, .networks = 1, .recipes = {{.name = "own", .width = 8, .dropout = 0}}};

}  // namespace

TEST_CASE("JudgedTable: errors beside those of the mean, by hand") {
  const mtl::TableData data = table_of(20);
  const auto learnt_from = torch::arange(14);
  auto model = mtl::learn_table(data, learnt_from, quick).model;
  mtl::evaluate::JudgedTable judged;
  double relative = 0;
  for (const auto& [first, last] : {std::pair(14, 17), std::pair(17, 20)}) {
    judged.add(model, data, learnt_from, torch::arange(first, last));
    double mean = 0, count = 0, error = 0, usual = 0;
    const auto truth = data.targets["y"], said = model.predict(data.inputs)["y"];
    for (int i = 0; i < 14; ++i)
      if (const double y = truth[i].item<double>(); !std::isnan(y)) mean += y, ++count;
    for (int i = first; i < last; ++i) {
      const double y = truth[i].item<double>();
      if (std::isnan(y)) continue;
      error += std::pow(said[i].item<double>() - y, 2);
      usual += std::pow(mean / count - y, 2);
    }
    relative += std::sqrt(error / usual) / 2;
  }
  CHECK_THAT(judged.relative_rmse("y"), WithinAbs(relative, 1e-9));
  CHECK_THAT(judged.average_relative_rmse(), WithinAbs(relative, 1e-9));
  CHECK(std::isnan(judged.relative_rmse("kind")));
  CHECK(judged.answers().rows.equal(torch::arange(14, 20)));
  // Of 14 rows 5 are "b": without networks one says "a", which 4 of the 6 others are.
  const auto json = judged.json();
  CHECK_THAT(json["tasks"]["kind"]["accuracy"]["without"].get<double>(), WithinAbs(4 / 6., 1e-9));
  CHECK(json["tasks"]["y"]["relative_rmse"]["without"] == 1);
}

TEST_CASE("JudgedTable: a row of weight 3 counts as three, one of weight 0 not at all") {
  mtl::TableData data = table_of(20);
  auto model = mtl::learn_table(data, torch::arange(14), quick).model;
  std::vector<int64_t> learnt, rows;  // as the weights say
  data.weights = torch::ones({20});
  mtl::evaluate::JudgedTable judged, repeated;
  for (int64_t i = 0; i < 20; ++i) {
    const int64_t times = i % 3 == 0 ? 3 : i % 7 == 1 ? 0 : 1;  // 3: every "b"
    data.weights[i] = times;
    for (int64_t k = 0; k < times; ++k) (i < 14 ? learnt : rows).push_back(i);
  }
  judged.add(model, data, torch::arange(14), torch::arange(14, 20));
  data.weights = torch::Tensor();
  repeated.add(model, data, torch::tensor(learnt), torch::tensor(rows));
  CHECK_THAT(judged.relative_rmse("y"), WithinAbs(repeated.relative_rmse("y"), 1e-9));
  // Of five "b" and nine "a" the former count more: one says "b", which rows 15 and 18 are.
  const auto json = judged.json();
  CHECK_THAT(json["tasks"]["kind"]["accuracy"]["without"].get<double>(), WithinAbs(6 / 10., 1e-9));
}

TEST_CASE("JudgedTable: cross-validation asks for each row once, networks that did not learn it") {
  const mtl::TableData data = table_of(24);
  std::vector<size_t> heard;
  const auto judged = mtl::evaluate::cross_validate(
      data, 3, quick, [&](const mtl::LearntTable& learnt, const auto& so_far) {
        CHECK(learnt.tried.size() == 1);
        heard.push_back(so_far.parts());
      });
  CHECK(heard == std::vector<size_t>{1, 2, 3});
  CHECK(judged.answers().rows.equal(torch::arange(24)));
}

TEST_CASE("compare_table: one network for all beside one a task; another table is another run") {
  const TemporaryFolder folder;
  const auto compared = [&](int rows, uint64_t seed) {
    mtl::TableLearning learning = quick;
    learning.seed = seed;
    return mtl::evaluate::compare_table(table_of(rows), quick.recipes[0], learning,
                                        {.seeds = 2, .directory = folder.path()});
  };
  const auto first = compared(30, 1);
  CHECK(first.findings.size() == 5);  // three measures of y, two of kind
  CHECK(first.findings[0].joint.size() == 2);
  CHECK(compared(30, 1).findings[0].joint == first.findings[0].joint);
  compared(31, 1);
  compared(30, 2);
  const std::filesystem::directory_iterator runs(folder.path());
  CHECK(std::distance(begin(runs), end(runs)) == 3);
}
