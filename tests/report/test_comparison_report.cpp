#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/evaluate/compare.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/report/comparison_report.hpp"
#include "report/checked_page.hpp"

using namespace mtl;

namespace {

// Method "good <1>" helps task a, harms task b; "helper" is auxiliary.
evaluate::Comparison small_comparison(const std::filesystem::path& folder) {
  return evaluate::compare(
      {.tasks = {"a & b", "b", "helper"},
       .methods = {"good <1>", "same"},
       .seeds = 6,
       .directory = folder},
      [](const evaluate::Trial& trial) {
        std::vector<evaluate::Score> scores;
        for (const std::string& task : trial.tasks) {
          double value = 1 + 0.01 * static_cast<double>((trial.seed * 7 + trial.method.size()) % 5);
          if (trial.method == "good <1>") value += task == "b" ? 0.5 : -0.5;
          scores.push_back({task, "mae", value, Better::lower, task == "helper"});
        }
        return scores;
      });
}

}  // namespace

TEST_CASE("comparison_report: first the verdict in words, then the table with intervals") {
  const TemporaryFolder folder;
  const auto comparison = small_comparison(folder / "runs");
  const auto files = report::comparison_report(folder / "report", comparison,
                                               {.title = "Together?",
                                                .data = "Nothing real.",
                                                .settings = {{"seeds", "6"}},
                                                .warnings = {"made up"}});
  check_page(files);
  const std::string html = io::read_file(files.page);
  for (const auto* part :
       {"good &lt;1&gt;, beside one model a task, helps a &amp; b (mae ", "and harms b (mae ",
        "helper (auxiliary)", "not judged", "share one test set", "Nothing real.", "made up",
        "no difference that 6 runs can show"})
    CHECK(contains(html, part));
  CHECK(html.find("beside one model a task, helps") < html.find("<table>"));
  const io::Json json = io::read_json(files.json);
  CHECK(json["verdict"].size() == 2);
  if (!files.without_pictures.empty()) return;
  CHECK(std::filesystem::exists(folder / "report/comparison.svg"));
  CHECK(std::filesystem::exists(folder / "report/comparison_mean.png"));
  CHECK_FALSE(contains(io::read_file(folder / "report/comparison.svg"), "helper"));
}

TEST_CASE("comparison: a level between whole per cents is written as it is") {
  const TemporaryFolder folder;
  auto comparison = small_comparison(folder / "runs");
  comparison.level = 0.995;
  CHECK(contains(comparison.text(), "verdicts at 99.5 %"));
  CHECK(contains(comparison.text(), "(99.5 % interval"));
  CHECK(contains(comparison.verdicts().front(), "(99.5 % interval"));
  const auto files = report::comparison_report(folder / "report", comparison, {.title = "t"});
  CHECK(contains(io::read_file(files.page), "Verdicts at 99.5 %"));
}

TEST_CASE("comparison_report: runs that gave no number have a page that says so") {
  const TemporaryFolder folder;
  const auto comparison = evaluate::compare(
      {.tasks = {"a"}, .methods = {"m"}, .seeds = 2, .directory = folder / "runs"},
      [](const evaluate::Trial&) {
        return std::vector<evaluate::Score>{{"a", "mae", std::nan(""), Better::lower}};
      });
  const auto files = report::comparison_report(folder / "report", comparison);
  check_page(files);
  CHECK(contains(io::read_file(files.page), "decides nothing about a"));
  CHECK(files.pictures.empty());
}
