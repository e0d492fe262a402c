#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/report/contact_sheet.hpp"
#include "mtl/report/curves.hpp"
#include "mtl/report/intervals.hpp"
#include "mtl/report/matrices.hpp"
#include "mtl/report/page.hpp"
#include "report/checked_page.hpp"

using namespace mtl;
using namespace mtl::report;

namespace {

Page small_page() {
  Page page{.title = "A <run> & \"more\"", .verdict = {"mae 1.27 instead of 1.34 in 'a' & <b>"}};
  page.section("First \"part\"")
      .text("top_5 of /home/somebody/data/a.csv:3, m/s")
      .table({{"name", "<value>"}, {{"a & b", "1.5"}, {"'c'", "nan"}}}, "A \"table\"")
      .picture("weights", lines({"weights <b>", "step", "weight", {}, {{"a & b", {1, 2, 3}}}}));
  page.section("Nothing in it");
  page.section("Second").picture("weights", interval_chart({"again", "x", {{"a", 1, 0, 2}}, true}));
  page.warnings = {"cannot read \"/data/x.csv\" <line 3>"};
  return page;
}

}  // namespace

TEST_CASE("write_page: a file that stands alone, and a JSON file that says the same") {
  const TemporaryFolder folder;
  const auto files = write_page(small_page(), folder / "run");
  const auto html = io::read_file(files.page);
  check_page(files);
  CHECK(html.find("mae 1.27") < html.find("First &quot;part&quot;"));
  CHECK(html.find("Second</h2>") < html.find("Warnings</h2>"));
  CHECK_FALSE(contains(html, "Nothing in it"));
  // Abbreviations are explained, folders of a machine are not shown.
  CHECK(contains(html, "<td>mae</td><td>mean absolute error</td>"));
  CHECK(contains(html, "<td>top_k</td>"));
  CHECK(contains(html, "top_5 of a.csv:3, m/s"));
  CHECK(contains(html, "cannot read &quot;x.csv&quot;"));
  CHECK_FALSE(contains(io::read_file(files.json), "/home"));

  const io::Json json = io::read_json(files.json);
  CHECK(json["verdict"][0] == "mae 1.27 instead of 1.34 in 'a' & <b>");
  CHECK(json["sections"].size() == 2);
  const io::Json& pieces = json["sections"][0]["pieces"];
  CHECK(pieces[1]["rows"][0][1] == "1.5");
  CHECK(pieces[2]["values"]["series"][0]["values"] == io::Json({1, 2, 3}));
  CHECK(json["words"]["mae"] == "mean absolute error");
  // Two pictures of one name are two files.
  CHECK(json["sections"][1]["pieces"][0]["picture"] == "weights_2");
  if (files.without_pictures.empty()) CHECK(std::filesystem::exists(folder / "run/weights_2.svg"));
}

TEST_CASE("write_page: without gnuplot the page says so and the JSON file has all") {
  const TemporaryFolder folder;
  const auto files = write_page(small_page(), folder.path(), {.gnuplot = "/no/such/gnuplot"});
  CHECK(files.pictures.empty());
  CHECK(contains(files.without_pictures, "gnuplot-nox"));
  CHECK(contains(io::read_file(files.page), "gnuplot-nox"));
  CHECK_FALSE(contains(io::read_file(files.page), "<svg"));
  CHECK(contains(io::read_file(files.json), "\"series\""));
}

TEST_CASE("write_page: below 2 MB whatever is in it") {
  const TemporaryFolder folder;
  Page page{.title = "large"};
  TextTable table{{"row", "value"}, {}};
  for (int i = 0; i < 5000; ++i) table.rows.push_back({std::to_string(i), "a cell of some length"});
  Section& section = page.section("much").table(table);
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform;
  for (int picture = 0; picture < 12; ++picture) {
    Series series{"noise", std::vector<double>(20'000)};
    for (double& value : series.values) value = uniform(random);
    section.picture("noise", lines({"noise", "", "", {}, {series}}));
  }
  std::vector<Tile> tiles;
  for (int i = 0; i < 60; ++i)
    tiles.push_back({torch::randint(256, {3, 160, 160}, torch::kByte), "a"});
  section.picture("photos", contact_sheet("photos that do not get smaller", tiles));
  const auto files = write_page(page, folder.path());
  CHECK(std::filesystem::file_size(files.page) < 2'000'000);
  const auto html = io::read_file(files.page);
  CHECK(contains(html, "The first 300 of 5000 rows"));
  CHECK(io::read_json(files.json)["sections"][0]["pieces"][0]["rows"].size() == 5000);
  if (!files.without_pictures.empty()) return;
  CHECK(contains(html, "data:image/png"));
  CHECK(contains(html, "photos that do not get smaller: too large for this page, see photos.png"));
}

TEST_CASE("reports explain the names of all metrics") {
  std::string names;
  for (const auto& entry :
       std::filesystem::directory_iterator(MTL_SOURCE_DIR "/include/mtl/task/metrics")) {
    const std::string text = io::read_file(entry.path());
    const std::string begin = "std::string name = \"";
    const auto at = text.find(begin);
    if (at == std::string::npos) continue;
    std::string name =
        text.substr(at + begin.size(), text.find('"', at + begin.size()) - at - begin.size());
    if (name.ends_with('_')) name += "5";
    const io::Json words =
        page_json({.title = "", .verdict = {name}, .sections = {}, .warnings = {}})["words"];
    INFO(name);
    CHECK_FALSE(words.empty());
    names += name + ' ';
  }
  CHECK(contains(names, "ndcg_5"));
  CHECK(page_json({.title = "", .verdict = {"stop_5 madmae maes"}})["words"].empty());
}
