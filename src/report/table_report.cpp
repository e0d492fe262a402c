#include "mtl/report/table_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "mtl/report/plain_text.hpp"

namespace mtl::report {
namespace {

std::string judged_by(const evaluate::JudgedTable& judged) {
  const int64_t rows = judged.answers().rows.size(0);
  if (judged.parts() > 1) return fmt::format("on all {} rows, by {} folds", rows, judged.parts());
  return fmt::format("on {} rows that the networks did not learn from", rows);
}

TextTable measures_table(const evaluate::JudgedTable& judged) {
  TextTable table{{"task", "measure", "networks", "without"}, {}};
  for (const auto& measure : judged.measures())
    table.rows.push_back({measure.task, measure.name, fmt::format("{:.5g}", measure.networks),
                          fmt::format("{:.5g}", measure.without)});
  return table;
}

TextTable tried_table(const LearntTable& learnt) {
  TextTable table{{"recipe", "loss", "epoch"}, {}};
  for (const TriedTableRecipe& tried : learnt.tried)
    table.rows.push_back(
        {tried.recipe.name, fmt::format("{:.4f}", tried.loss), std::to_string(tried.epoch)});
  return table;
}

}  // namespace

std::string table_text(const LearntTable& learnt, const evaluate::JudgedTable& judged,
                       const TableReport& report) {
  const TextTable measures = measures_table(judged);
  std::string text =
      fmt::format("How good it is {}; without: the mean, or the most frequent class\n{}",
                  judged_by(judged), plain_text(measures));
  const auto relative = std::count_if(measures.rows.begin(), measures.rows.end(),
                                      [](const auto& row) { return row[1] == "relative_rmse"; });
  if (relative > 1)
    text += fmt::format("average relative RMSE {:.4f}\n", judged.average_relative_rmse());
  const TableModel& model = learnt.model;
  text += fmt::format("Chosen on the rows learnt from: {}, {} epochs, {} networks\n",
                      model.recipe.name, model.epochs, model.networks->members().size());
  for (const std::string& line : model.encoder.left_out()) text += "left out: " + line + "\n";
  if (report.comparison != nullptr) text += "Together or one by one?\n" + report.comparison->text();
  return text;
}

ReportFiles table_report(const std::filesystem::path& directory, const TableData& data,
                         const LearntTable& learnt, const evaluate::JudgedTable& judged,
                         const TableReport& report) {
  const evaluate::RowPredictions answers = judged.answers();
  RunReport page{.title = "What can be told from " + report.name,
                 .data = fmt::format("{}: {} rows, {} columns to learn from.", report.name,
                                     data.rows(), data.inputs.size()),
                 .split = judged.parts() > 1 ? "cross-validation" : "validation",
                 .x_label = "row",
                 .settings = report.settings,
                 .tables = {{"How good it is " + judged_by(judged) + ".", measures_table(judged)},
                            {"What was tried on the rows learnt from; the first was chosen.",
                             tried_table(learnt)}},
                 .warnings = report.warnings,
                 .comparison = report.comparison,
                 .sample_name = [rows = answers.rows](int64_t sample) {
                   return fmt::format("row {}", rows[sample].item<int64_t>() + 1);
                 }};
  for (const std::string& line : learnt.model.encoder.left_out())
    page.warnings.push_back("left out: " + line);
  for (const TargetColumn& task : data.tasks)
    page.views.push_back({.task = task.name, .class_names = task.classes});
  return run_report(directory, learnt.tried.front().run, learnt.model.networks->tasks(),
                    answers.predictions, page);
}

std::vector<std::pair<std::string, std::string>> settings_of(const io::Json& json) {
  std::vector<std::pair<std::string, std::string>> settings;
  for (const auto& [key, value] : json.items())
    settings.emplace_back(key,
                          value.is_string() ? value.get<std::string>() : io::json_text(value, -1));
  return settings;
}

}  // namespace mtl::report
