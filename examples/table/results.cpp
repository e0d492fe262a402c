#include "table/results.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace table {

void Found::ask(mtl::TableModel& model, const mtl::TableData& data, const Tensor& learnt_from,
                const Tensor& rows) {
  RowPredictions& said = networks.emplace_back(RowPredictions{rows, {}});
  RowPredictions& usual = without.emplace_back(RowPredictions{rows, {}});
  const NamedTensors all = model.predict(data.inputs);
  for (const auto& task : data.tasks) {
    const Tensor learnt = data.targets[task.name].index_select(0, learnt_from);
    const Tensor answer = all[task.name].index_select(0, rows);
    const Tensor mean =
        task.classes.empty()
            ? learnt.nanmean()
            : learnt.unsqueeze(1).eq(torch::arange(task.outputs())).to(torch::kFloat64).mean(0);
    said.predictions.predictions.insert(task.name, answer);
    said.predictions.targets.insert(task.name, data.targets[task.name].index_select(0, rows));
    usual.predictions.predictions.insert(task.name, mean.expand_as(answer).contiguous());
  }
  if (data.weights.defined()) said.predictions.sample_weights = data.weights.index_select(0, rows);
  usual.predictions.targets = said.predictions.targets;
  usual.predictions.sample_weights = said.predictions.sample_weights;
}

double Found::relative_rmse(const std::string& task, size_t parts) const {
  std::vector<double> shares;
  const auto error = [&](const RowPredictions& part) {
    const auto& [predictions, targets, weights, task_weights] = part.predictions;
    return (predictions[task] - targets[task]).square().nansum().item<double>();
  };
  for (size_t i = networks.size() - parts; i < networks.size(); ++i) {
    if (networks[i].predictions.predictions[task].dim() > 1) return NAN;  // of classes
    const double share = std::sqrt(error(networks[i]) / error(without[i]));
    if (std::isfinite(share)) shares.push_back(share);
  }
  return shares.empty() ? NAN : mtl::evaluate::mean(shares);
}

std::vector<mtl::Task> judged(const std::vector<mtl::TargetColumn>& tasks) {
  std::vector<mtl::Task> result;
  for (const auto& task : tasks) {
    mtl::Task& to_judge = result.emplace_back(mtl::Task{.name = task.name});
    if (task.type == mtl::TargetType::regression)
      to_judge.metrics = {mtl::Rmse{}, mtl::Mae{}, mtl::R2{}};
    else if (task.type == mtl::TargetType::binary)
      to_judge.metrics = {mtl::Accuracy{}, mtl::RocAuc{}};
    else
      to_judge.metrics = {mtl::Accuracy{}, mtl::BalancedAccuracy{}};
  }
  return result;
}

std::string write_results(const std::filesystem::path& folder, const Json& settings,
                          const mtl::TableData& data, const Found& found,
                          const mtl::LearntTable& learnt,
                          const std::optional<mtl::evaluate::Comparison>& comparison,
                          const std::vector<std::string>& warnings) {
  const RowPredictions answers = mtl::evaluate::in_row_order(found.networks);
  const RowPredictions without = mtl::evaluate::in_row_order(found.without);
  const size_t parts = found.networks.size();
  Json results;
  mtl::report::TextTable scores{{"task", "measure", "networks", "without"}, {}};
  const auto add = [&](const std::string& task, const std::string& measure, double value,
                       double usual) {
    results["tasks"][task][measure] = {{"networks", value}, {"without", usual}};
    scores.rows.push_back(
        {task, measure, fmt::format("{:.5g}", value), fmt::format("{:.5g}", usual)});
  };
  std::vector<double> relative;
  for (const mtl::Task& task : judged(data.tasks)) {
    const auto values = mtl::metrics_of(task, answers.predictions),
               usual_values = mtl::metrics_of(task, without.predictions);
    for (size_t i = 0; i < values.size(); ++i)
      add(task.name, task.metrics[i].name, values[i], usual_values[i]);
    const double share = found.relative_rmse(task.name, parts);
    if (std::isnan(share)) continue;
    relative.push_back(share);
    add(task.name, "relative_rmse", share, 1);
  }
  mtl::report::TextTable tried{{"recipe", "loss", "epoch"}, {}};
  for (const auto& recipe : learnt.tried)
    tried.rows.push_back(
        {recipe.recipe.name, fmt::format("{:.4f}", recipe.loss), std::to_string(recipe.epoch)});
  const int64_t rows = answers.rows.size(0);
  const std::string judged_by =
      parts == 1 ? fmt::format("on {} rows that the networks did not learn from", rows)
                 : fmt::format("on all {} rows, by {} folds", rows, parts);
  std::string text =
      fmt::format("How good it is {}; without: the mean, or the most frequent class\n{}", judged_by,
                  mtl::report::plain_text(scores));
  if (!relative.empty()) results["average_relative_rmse"] = mtl::evaluate::mean(relative);
  if (relative.size() > 1)
    text += fmt::format("average relative RMSE {:.4f}\n", mtl::evaluate::mean(relative));
  text += fmt::format("Chosen on the rows learnt from: {}, {} epochs, {} networks\n",
                      learnt.model.recipe.name, learnt.model.epochs,
                      learnt.model.networks->members().size());
  if (comparison) text += "Together or one by one?\n" + comparison->text();
  text += fmt::format("report: {}\n", (folder / "report.html").string());
  results["recipe"] = learnt.model.recipe.name;
  results["epochs"] = learnt.model.epochs;
  if (comparison) results["comparison"] = comparison->json();
  results["text"] = text;
  mtl::io::write_json(folder / "results.json", results);

  const std::filesystem::path file = settings["data"].get<std::string>();
  mtl::report::RunReport report{
      .title = "What can be told from " + file.filename().string(),
      .data = fmt::format("{}: {} rows, {} columns to learn from.", file.filename().string(),
                          data.rows(), data.inputs.size()),
      .split = parts == 1 ? "validation" : "cross-validation",
      .x_label = "row",
      .tables = {{"How good it is " + judged_by + ".", scores},
                 {"What was tried on the rows learnt from; the first was chosen.", tried}},
      .warnings = warnings,
      .comparison = comparison ? &*comparison : nullptr,
      .sample_name = [asked = answers.rows](int64_t sample) {
        return fmt::format("row {}", asked[sample].item<int64_t>() + 1);
      }};
  for (const auto& task : data.tasks)
    report.views.push_back({.task = task.name, .class_names = task.classes});
  for (const auto& [key, value] : settings.items())
    report.settings.emplace_back(
        key, value.is_string() ? value.get<std::string>() : mtl::io::json_text(value, -1));
  mtl::report::run_report(folder, learnt.tried.front().run, learnt.model.networks->tasks(),
                          answers.predictions, report);
  return text;
}

std::string predictions_csv(const std::vector<mtl::TargetColumn>& tasks,
                            const NamedTensors& answers) {
  std::vector<std::string> cells;
  for (const auto& task : tasks) {
    cells.push_back(task.name);
    if (!task.classes.empty()) cells.push_back(task.name + "_probability");
  }
  std::string csv = mtl::io::csv_row(cells);
  for (int64_t row = 0; row < answers.begin()->value().size(0); ++row) {
    cells.clear();
    for (const auto& task : tasks) {
      const Tensor answer = answers[task.name][row];
      if (task.classes.empty()) {
        cells.push_back(fmt::format("{:.7g}", answer.item<double>()));
        continue;
      }
      const auto [most, index] = answer.max(0);
      cells.push_back(task.classes[static_cast<size_t>(index.item<int64_t>())]);
      cells.push_back(fmt::format("{:.4f}", most.item<double>()));
    }
    csv += mtl::io::csv_row(cells);
  }
  return csv;
}

}  // namespace table
