#include <fmt/format.h>

#include <catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "error_text.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/file_lock.hpp"
#include "mtl/io/json.hpp"
#include "run_example.hpp"
#include "table/program.hpp"
#include "temporary_folder.hpp"

namespace {

using Catch::Matchers::WithinAbs;

/// Rows whose price follows the area and whose kind follows the town; cells are missing in both.
std::string invented_houses(int rows) {
  std::string csv = "id,area,town,listed,weight,price,sold,kind\n";
  for (int i = 0; i < rows; ++i) {
    const double area = 50 + 37 * i % 100;
    csv += fmt::format(
        "h{},{},{},2024-{:02}-{:02},{},{},{},k{}\n", i, i % 9 == 4 ? "" : std::to_string(area),
        i % 3 == 0 ? "Elm" : "Oak", 1 + i % 12, 1 + i % 28, 1 + i % 2,
        i % 11 == 5 ? "" : std::to_string(3 * area), area > 100 ? "yes" : "no", i % 3);
  }
  return csv;
}

std::string house_file(const TemporaryFolder& folder, const std::string& csv,
                       const std::string& name = "houses.csv") {
  mtl::io::write_file_atomically(folder / name, csv);
  return folder / name;
}

Finished run_table(std::vector<std::string> arguments, Pictures pictures = Pictures::no) {
  arguments.insert(arguments.begin(), "table");
  return run_example(table::run_program, arguments, pictures);
}

/// A training of a second or two.
std::vector<std::string> quick_train(const std::string& data, const std::string& out) {
  return {
      "train",       data,     "--out",        out,        "--task", "price:regression", "--task",
      "sold:binary", "--task", "kind:classes", "--ignore", "id",     "--epochs",         "60",
      "--networks",  "2",      "--recipe",     "plain"};
}

mtl::io::Json results_of(const std::string& out) {
  return mtl::io::read_json(std::filesystem::path(out) / "results.json");
}

}  // namespace

TEST_CASE(
    "Table example: learns three tasks from a CSV and predicts new rows in the file's units") {
  const TemporaryFolder folder;
  const std::string data = house_file(folder, invented_houses(120)), out = folder / "run";
  auto arguments = quick_train(data, out);
  arguments.insert(arguments.end(), {"--weight", "weight"});
  const Finished finished = run_table(arguments);
  REQUIRE(finished.code == 0);
  for (const char* file :
       {"config.json", "history.csv", "bundle/weights.safetensors", "results.json", "report.html"})
    CHECK(std::filesystem::exists(folder / "run" / file));
  CHECK_FALSE(std::filesystem::exists(folder / "run" / "run.lock"));
  const mtl::io::Json results = results_of(out);
  CHECK(results["tasks"]["price"]["relative_rmse"]["networks"].get<double>() < 0.7);
  CHECK(results["tasks"]["kind"]["accuracy"]["networks"].get<double>() >
        results["tasks"]["kind"]["accuracy"]["without"].get<double>());

  const std::string asked = house_file(folder,
                                       "town,area,listed,weight,more\nElm,120,2024-03-01,1,x\n"
                                       "Rome,,,,\n",
                                       "new.csv");
  const Finished told =
      run_table({"predict", out, asked, "--out", folder / "predictions.csv", "--probabilities"});
  CHECK(told.code == 0);
  CHECK(contains(told.errors,
                 "column \"town\": 1 rows with texts that training has not seen, such "
                 "as \"Rome\""));
  const auto predicted = mtl::Table::read(folder / "predictions.csv");
  CHECK(predicted.columns() == std::vector<std::string>{"price", "sold", "sold.no", "sold.yes",
                                                        "kind", "kind.k0", "kind.k1", "kind.k2"});
  CHECK(predicted.rows() == 2);
  CHECK_THAT(predicted.numbers("price")[0].item<double>(), WithinAbs(360, 60));
  CHECK(predicted.texts("sold")[0] == "yes");
  CHECK(predicted.texts("kind")[0] == "k0");
  CHECK(run_table({"report", out}).code == 0);
}

TEST_CASE("Table example: the same seed gives the same bytes, from CSV and from ARFF") {
  const TemporaryFolder folder;
  const std::string csv = invented_houses(60);
  const std::string data = house_file(folder, csv);
  std::string arff = "@relation houses\n";
  for (const char* column : {"id string", "area numeric", "town {Elm,Oak}", "listed date",
                             "weight numeric", "price numeric", "sold string", "kind string"})
    arff += fmt::format("@attribute {}\n", column);
  arff += "@data\n";
  for (mtl::io::CsvReader row(csv, "t"); row.next();) {
    if (row.line() == 1) continue;
    std::string line;
    for (const std::string_view cell : row.cells())
      line += (line.empty() ? "" : ",") + (cell.empty() ? "?" : std::string(cell));
    arff += line + '\n';
  }
  const std::string arff_data = house_file(folder, arff, "houses.arff");
  for (const auto& [from, to] :
       {std::pair(data, "a"), std::pair(data, "b"), std::pair(arff_data, "c")}) {
    auto arguments = quick_train(from, folder / to);
    arguments[arguments.size() - 5] = "8";  // epochs
    REQUIRE(run_table(arguments).code == 0);
  }
  const auto weights = [&](const char* run) {
    return mtl::io::read_file(folder / run / "bundle" / "weights.safetensors");
  };
  CHECK(weights("a") == weights("b"));
  CHECK(weights("a") == weights("c"));
}

TEST_CASE("Table example: folds judge every row, by networks that did not learn from it") {
  const TemporaryFolder folder;
  const std::string data = house_file(folder, invented_houses(60)), out = folder / "run";
  auto arguments = quick_train(data, out);
  arguments.insert(arguments.end(), {"--folds", "3"});
  REQUIRE(run_table(arguments).code == 0);
  CHECK(contains(results_of(out)["text"].get<std::string>(), "on all 60 rows, by 3 folds"));
}

TEST_CASE("Table example: a comparison says in words whether learning together helps") {
  const TemporaryFolder folder;
  const std::string data = house_file(folder, invented_houses(60)), out = folder / "run";
  auto arguments = quick_train(data, out);
  arguments.insert(arguments.end(), {"--compare", "--seeds", "2", "--combiner", "kendall"});
  REQUIRE(run_table(arguments).code == 0);
  const mtl::io::Json results = results_of(out);
  CHECK(results.contains("comparison"));
  CHECK(contains(results["text"].get<std::string>(), "Together or one by one?"));
  CHECK(contains(mtl::io::read_file(folder / "run" / "report.html"), "verdict"));
}

TEST_CASE("Table example: what is wrong with a table or a task is said in one line") {
  const TemporaryFolder folder;
  const std::string data = house_file(folder, invented_houses(30)), out = folder / "run";
  const auto error_of = [&](const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"train", data, "--out", out};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Finished finished = run_table(arguments);
    CHECK(finished.code == 1);
    CHECK(std::count(finished.errors.begin(), finished.errors.end(), '\n') == 1);
    CHECK_FALSE(std::filesystem::exists(folder / "run"));
    return finished.errors;
  };
  CHECK(contains(error_of({"--task", "prize:regression"}),
                 "has no column \"prize\"; it has: price, "));
  CHECK(contains(error_of({"--task", "town:regression"}),
                 "needs numbers: " + data + ", line 2, column 3 (\"town\"): \"Elm\" is not"));
  CHECK(contains(error_of({"--task", "kind:binary"}),
                 "line 4, column \"kind\": \"k2\" is a third value beside \"k0\" and \"k1\""));
  CHECK(contains(error_of({"--task", "price:number"}), "found the type \"number\""));
  CHECK(contains(error_of({"--task", "price"}), "found the type \"\""));
  CHECK(contains(error_of({"--task", "sold:binary", "--task", "sold:classes"}), "a task already"));
  CHECK(contains(error_of({"--task", "sold:binary", "--ignore", "ID"}),
                 "no column \"ID\"; it has: id"));
  CHECK(contains(error_of({"--task", "sold:binary", "--weight", "price"}),
                 "line 7, column \"price\": a weight is a number of at least 0"));
  CHECK(contains(error_of({"--task", "sold:binary", "--recipe", "big"}), "there are: plain"));
  CHECK(contains(error_of({"--task", "sold:binary", "--combiner", "summ"}), "summ"));
  CHECK(contains(error_of({}), "--task"));

  const Finished none = run_table({"predict", folder / "no_run", data});
  CHECK(none.code == 1);
  CHECK(contains(none.errors, "there is no run in"));
}

TEST_CASE("Table example: a folder serves one run at a time") {
  const TemporaryFolder folder;
  const std::string data = house_file(folder, invented_houses(30)), out = folder / "run";
  std::filesystem::create_directories(out);
  const mtl::io::FileLock lock(folder / "run" / "run.lock");
  CHECK(run_table(quick_train(data, out)).code == 1);
}
