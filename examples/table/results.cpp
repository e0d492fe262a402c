#include "table/results.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace table {
namespace {

double mean_of(const std::vector<double>& values) {
  return values.empty() ? NAN : mtl::evaluate::mean(values);
}

/// Columns in line.
std::string text_of(const mtl::report::TextTable& table) {
  std::vector<std::vector<std::string>> lines = table.rows;
  lines.insert(lines.begin(), table.header);
  std::vector<size_t> widths(table.header.size());
  for (const auto& line : lines)
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string text;
  for (const auto& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) text += fmt::format("{:<{}}", line[i], widths[i] + 2);
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

}  // namespace

Tensor rows_without(const Tensor& rows, const Tensor& others) {
  return rows.masked_select(torch::isin(rows, others).logical_not());
}

Found::Found(const Data& data)
    : tasks_(data.tasks), targets_(data.targets), weights_(data.weights) {
  for (const ColumnTask& task : tasks_) {
    const std::vector<int64_t> shape = task.classes.empty()
                                           ? std::vector<int64_t>{data.rows()}
                                           : std::vector<int64_t>{data.rows(), task.outputs()};
    answers_.insert(task.column, torch::zeros(shape, torch::kFloat64));
    baseline_.insert(task.column, torch::zeros(shape, torch::kFloat64));
  }
  asked_ = torch::zeros({data.rows()}, torch::kBool);
}

void Found::add(const Data& data, const Tensor& learnt_from, const Tensor& asked, Model& model) {
  const NamedTensors all = model.predict(data.inputs);
  asked_.index_fill_(0, asked, true);
  folds_.emplace_back();
  for (const ColumnTask& task : tasks_) {
    const Tensor learnt = targets_[task.column].index_select(0, learnt_from);
    const Tensor truth = targets_[task.column].index_select(0, asked);
    const Tensor answer = all[task.column].index_select(0, asked);
    const Tensor usual =
        task.classes.empty()
            ? learnt.nanmean()
            : learnt.unsqueeze(1).eq(torch::arange(task.outputs())).to(torch::kFloat64).mean(0);
    const Tensor without = usual.expand_as(answer);
    answers_[task.column].index_copy_(0, asked, answer);
    baseline_[task.column].index_copy_(0, asked, without.contiguous());
    if (task.classes.empty())
      folds_.back()[task.column] = std::sqrt((answer - truth).square().nansum().item<double>() /
                                             (without - truth).square().nansum().item<double>());
  }
}

mtl::Predictions Found::of(const NamedTensors& answers) const {
  const Tensor rows = this->rows();
  mtl::Predictions found;
  for (const ColumnTask& task : tasks_) {
    found.predictions.insert(task.column, answers[task.column].index_select(0, rows));
    found.targets.insert(task.column, targets_[task.column].index_select(0, rows));
  }
  if (weights_.defined()) found.sample_weights = weights_.index_select(0, rows);
  return found;
}

double Found::relative_rmse(const std::string& task) const {
  std::vector<double> values;
  for (const auto& fold : folds_) {
    const auto found = fold.find(task);
    if (found != fold.end() && std::isfinite(found->second)) values.push_back(found->second);
  }
  return mean_of(values);
}

std::string Found::last_fold() const {
  std::vector<double> values;
  for (const auto& [task, value] : folds_.back()) values.push_back(value);
  return values.empty() ? "" : fmt::format(", relative RMSE {:.4f}", mean_of(values));
}

void write_results(const std::filesystem::path& folder, const Json& settings, const Data& data,
                   const Found& found, const Learnt& learnt,
                   const std::optional<mtl::evaluate::Comparison>& comparison,
                   const std::vector<std::string>& warnings) {
  const mtl::Predictions answers = found.predictions(), without = found.without_network();
  Json results;
  mtl::report::TextTable scores{{"task", "measure", "networks", "without"}, {}};
  std::vector<double> relative;
  for (const mtl::Task& task : judged(data.tasks)) {
    const auto values = mtl::metrics_of(task, answers), usual = mtl::metrics_of(task, without);
    for (size_t i = 0; i < values.size(); ++i) {
      const std::string& metric = task.metrics[i].name;
      results["tasks"][task.name][metric] = {{"networks", values[i]}, {"without", usual[i]}};
      scores.rows.push_back(
          {task.name, metric, fmt::format("{:.5g}", values[i]), fmt::format("{:.5g}", usual[i])});
    }
    const double share = found.relative_rmse(task.name);
    if (std::isnan(share)) continue;
    relative.push_back(share);
    results["tasks"][task.name]["relative_rmse"] = {{"networks", share}, {"without", 1}};
    scores.rows.push_back({task.name, "relative_rmse", fmt::format("{:.4f}", share), "1"});
  }
  if (!relative.empty()) results["average_relative_rmse"] = mean_of(relative);
  mtl::report::TextTable tried{{"recipe", "loss", "epoch"}, {}};
  for (const Tried& recipe : learnt.tried)
    tried.rows.push_back(
        {recipe.recipe.name, fmt::format("{:.4f}", recipe.loss), std::to_string(recipe.epoch)});
  const auto folds = settings["folds"].get<int64_t>();
  const int64_t rows = answers.targets.begin()->value().size(0);
  const std::string judged_by =
      folds == 0 ? fmt::format("on {} rows that the networks did not learn from", rows)
                 : fmt::format("on all {} rows, by {} folds", rows, folds);
  std::string text =
      fmt::format("How good it is {}; without: the mean, or the most frequent class\n{}", judged_by,
                  text_of(scores));
  if (relative.size() > 1) text += fmt::format("average relative RMSE {:.4f}\n", mean_of(relative));
  text += fmt::format("Chosen on the rows learnt from: {}, {} epochs, {} networks\n",
                      learnt.model.recipe.name, learnt.model.epochs, learnt.model.networks.size());
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
      .split = folds == 0 ? "validation" : "cross-validation",
      .warnings = warnings};
  for (const ColumnTask& task : data.tasks)
    report.views.push_back({.task = task.column, .class_names = task.classes});
  report.x_label = "row";
  report.sample_name = [asked = found.rows()](int64_t sample) {
    return fmt::format("row {}", asked[sample].item<int64_t>() + 1);
  };
  report.tables = {{"How good it is " + judged_by + ".", scores},
                   {"What was tried on the rows learnt from; the first was chosen.", tried}};
  for (const auto& [key, value] : settings.items())
    report.settings.emplace_back(
        key, value.is_string() ? value.get<std::string>() : mtl::io::json_text(value, -1));
  if (comparison) report.comparison = &*comparison;
  mtl::report::run_report(folder, learnt.tried.front().run, learnt.model.networks[0].model->tasks(),
                          answers, report);
  fmt::print("{}", text);
}

std::string predictions_csv(const std::vector<ColumnTask>& tasks, const NamedTensors& answers) {
  std::vector<std::string> cells;
  for (const ColumnTask& task : tasks) {
    cells.push_back(task.column);
    if (!task.classes.empty()) cells.push_back(task.column + "_probability");
  }
  std::string csv = mtl::io::csv_row(cells);
  const int64_t rows = answers.begin()->value().size(0);
  for (int64_t row = 0; row < rows; ++row) {
    cells.clear();
    for (const ColumnTask& task : tasks) {
      const Tensor answer = answers[task.column][row];
      if (task.classes.empty()) {
        cells.push_back(fmt::format("{:.7g}", answer.item<double>()));
      } else {
        const auto [most, index] = answer.max(0);
        cells.push_back(task.classes[static_cast<size_t>(index.item<int64_t>())]);
        cells.push_back(fmt::format("{:.4f}", most.item<double>()));
      }
    }
    csv += mtl::io::csv_row(cells);
  }
  return csv;
}

}  // namespace table
