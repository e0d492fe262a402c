#include "mtl/report/table_report.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/io/file.hpp"
#include "temporary_folder.hpp"

TEST_CASE("table_report: measures beside those without networks, what was chosen and left out") {
  std::string csv = "x,same,y,z\n";
  for (int i = 0; i < 30; ++i)
    csv += std::to_string(i) + ",1," + std::to_string(i % 7) + "," + std::to_string(i % 4) + "\n";
  const auto data =
      mtl::TableData::read(mtl::Table::parse(csv, "t.csv"), {"y:regression", "z:regression"});
  const mtl::TableLearning learning{
      .epochs = 2, .networks = 1, .recipes = {{.name = "own", .width = 8}}};
  auto learnt = mtl::learn_table(data, torch::arange(24), learning);
  mtl::evaluate::JudgedTable judged;
  judged.add(learnt.model, data, torch::arange(24), torch::arange(24, 30));

  const std::string text = mtl::report::table_text(learnt, judged);
  CHECK(contains(text, "How good it is on 6 rows that the networks did not learn from"));
  CHECK(contains(text, "task  measure"));
  CHECK(contains(text, "average relative RMSE "));
  CHECK(contains(text, "Chosen on the rows learnt from: own, "));
  CHECK(contains(text, "left out: "));
  CHECK(contains(text, "\"same\""));

  const TemporaryFolder folder;
  const auto settings = mtl::report::settings_of({{"seed", 1}, {"data", "t.csv"}});
  CHECK(settings ==
        std::vector<std::pair<std::string, std::string>>{{"seed", "1"}, {"data", "t.csv"}});
  mtl::report::table_report(folder.path(), data, learnt, judged,
                            {.name = "t.csv", .settings = settings});
  CHECK(contains(mtl::io::read_file(folder / "report.html"), "What can be told from t.csv"));
}
