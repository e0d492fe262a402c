#include "results.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace weather {
namespace {

std::string number(double value, int decimals) {
  return std::isnan(value) ? "-" : fmt::format("{:.{}f}", value, decimals);
}

NamedTensors persistence(const Parts& parts) {
  const Days& days = parts.valid.days;
  const Tensor today = days.filled.index_select(0, parts.valid.today());
  // A day without weather has no score at all, and the first class is as good as any.
  const Tensor weather = parts.classes.encode(first_terms(days));
  return {{"temp", today.select(1, temp)},
          {"rh", today.select(1, rh)},
          {"weather", class_columns(weather.index_select(0, parts.valid.today()), parts.classes)}};
}

NamedTensors majority(const Parts& parts) {
  const Tensor seen = parts.truth(parts.train)["weather"];
  const Tensor counts = class_columns(seen, parts.classes).sum(0, true);
  return {{"weather", counts.expand({parts.valid.targets.size(0), parts.classes.size()})}};
}

/// Ridge regression by normal equations; the columns' means carry the intercept and are not
/// penalised. What it says about the rows of `asked`.
Tensor ridge_regression(const Tensor& inputs, const Tensor& targets, double penalty,
                        const Tensor& asked) {
  const Tensor input_mean = inputs.mean(0), target_mean = targets.mean(0);
  const Tensor x = inputs - input_mean;
  const Tensor gram = x.t().mm(x) + penalty * torch::eye(x.size(1), x.options());
  const Tensor weights = torch::linalg_solve(gram, x.t().mm(targets - target_mean));
  return (asked - input_mean).mm(weights) + target_mean;
}

NamedTensors ridge(const Parts& parts) {
  const Encoding encoding(Recipe::article, parts.classes, &parts.train.days);
  const auto flat_windows = [&](const Part& part) {
    const Tensor rows = part.targets.unsqueeze(1) + torch::arange(-window_days, 0);
    const Tensor inputs = encoding->inputs(part.days).to(torch::kFloat64);
    return inputs.index_select(0, rows.flatten()).view({rows.size(0), -1});
  };
  const Tensor windows = flat_windows(parts.train), asked = flat_windows(parts.valid);
  const NamedTensors targets = parts.truth(parts.train);
  NamedTensors predictions;
  for (const mtl::Task& task : judged_tasks()) {
    const Tensor& target = targets[task.name];
    const Tensor columns =
        target.is_floating_point() ? target.unsqueeze(1) : class_columns(target, parts.classes);
    const Tensor rows = mtl::is_labelled(target).nonzero().squeeze(1);
    const Tensor x = windows.index_select(0, rows), y = columns.index_select(0, rows);
    if (rows.size(0) == 0) {
      predictions.insert(task.name, torch::full({asked.size(0), y.size(1)}, NAN, torch::kFloat64));
      continue;
    }
    const int64_t fit = std::max<int64_t>(1, x.size(0) * 4 / 5);
    double best_penalty = 1, best_error = std::numeric_limits<double>::infinity();
    for (double penalty = 1; penalty <= 1e4 && fit < x.size(0); penalty *= 10) {
      const Tensor found =
          ridge_regression(x.slice(0, 0, fit), y.slice(0, 0, fit), penalty, x.slice(0, fit));
      const mtl::Metric& metric = task.metrics.front();
      const double value = metric(found, target.index_select(0, rows.slice(0, fit)));
      const double error = metric.higher_is_better ? -value : value;
      if (error < best_error) {
        best_error = error;
        best_penalty = penalty;
      }
    }
    predictions.insert(task.name, ridge_regression(x, y, best_penalty, asked));
  }
  return predictions;
}

}  // namespace

std::vector<mtl::Task> judged_tasks() {
  const std::vector<mtl::Metric> of_values = {mtl::Mae{}, mtl::Nmae{}, mtl::Rmse{}};
  return {{.name = "temp", .metrics = of_values},
          {.name = "rh", .metrics = of_values},
          {.name = "weather",
           .metrics = {mtl::Accuracy{}, mtl::BalancedAccuracy{}, mtl::F1{.name = "macro_f1"}}}};
}

Json score(const mtl::Predictions& found) {
  Json scores = Json::object();
  for (const mtl::Task& task : judged_tasks()) {
    if (!found.predictions.contains(task.name)) continue;
    const std::vector<double> values = mtl::metrics_of(task, found);
    for (size_t i = 0; i < values.size(); ++i) scores[task.name][task.metrics[i].name] = values[i];
  }
  return scores;
}

std::vector<Method> baselines(const Parts& parts) {
  const NamedTensors truth = parts.truth(parts.valid);
  return {{"persistence", score({.predictions = persistence(parts), .targets = truth})},
          {"majority", score({.predictions = majority(parts), .targets = truth})},
          {"ridge", score({.predictions = ridge(parts), .targets = truth})}};
}

mtl::report::TextTable comparison(const std::vector<Method>& methods) {
  mtl::report::TextTable table{
      {"method", "temperature MAE (°C)", "humidity MAE (%)", "weather accuracy"}, {}};
  for (const auto& [name, scores] : methods) {
    const auto cell = [&](const char* task, const char* metric, int decimals) {
      return scores.contains(task) ? number(scores[task][metric].get<double>(), decimals) : "-";
    };
    table.rows.push_back(
        {name, cell("temp", "mae", 2), cell("rh", "mae", 2), cell("weather", "accuracy", 3)});
  }
  return table;
}

mtl::report::TextTable doubt_table(const Json& judged) {
  const auto percent = [&](const char* task, const char* key) {
    return number(100 * judged[task][key].get<double>(), 1);
  };
  const auto width = [&](const char* task, const char* unit) {
    return number(judged[task]["width"].get<double>(), 1) + unit;
  };
  const Json& weather = judged["weather"];
  mtl::report::TextTable table{{"", "days within (%)", "mean width", "log loss"}, {}};
  table.rows = {{"temperature", percent("temp", "coverage"), width("temp", " °C"), ""},
                {"humidity", percent("rh", "coverage"), width("rh", " %"), ""},
                {"weather", "", "", number(weather["log_loss"].get<double>(), 3)},
                {"climate", "", "", number(weather["climate_log_loss"].get<double>(), 3)}};
  return table;
}

std::string text_of(const mtl::report::TextTable& table) {
  std::vector<std::vector<std::string>> lines = table.rows;
  lines.insert(lines.begin(), table.header);
  std::string text;
  for (const auto& cells : lines) {
    text += fmt::format("{:<12}", cells[0]);
    for (size_t i = 1; i < cells.size(); ++i)
      text += fmt::format(" {:>{}}", cells[i], i == 1 ? 20 : 18);
    text += '\n';
  }
  return text;
}

void write_report(const std::filesystem::path& directory, const std::string& title,
                  const Trained& trained, const Part& validation,
                  const std::vector<Method>& methods, const std::vector<std::string>& warnings) {
  const Days& days = validation.days;
  const auto date = [&](int64_t row) {
    return to_text(days.dates.at(static_cast<size_t>(validation.targets[row].item<int64_t>())));
  };
  const Tensor seconds =
      (days.day_numbers().index_select(0, validation.targets) * 86400).to(torch::kFloat64);
  mtl::report::TextTable metrics{{"task", "metric", "validation"}, {}};
  const Json scores = score(trained.validation);
  for (const auto& [task, values] : scores.items())
    for (const auto& [name, value] : values.items())
      metrics.rows.push_back({task, name, number(value.get<double>(), 4)});
  std::vector<std::pair<std::string, mtl::report::TextTable>> tables{
      {fmt::format("How good it is on {} days from {} to {}, none of which training saw.",
                   seconds.size(0), date(0), date(-1)),
       comparison(methods)},
      {fmt::format("The recipe {}; nmae is mae divided by the largest minus the smallest true "
                   "value.",
                   name_of(trained.network.encoding->recipe())),
       metrics}};
  if (!trained.doubt.is_null())
    tables.emplace_back(
        "How far it is to be trusted: intervals that 80 % of the days should lie within, and "
        "probabilities of the weather beside its shares by month. The intervals are learnt from "
        "the first half of these days and judged on the second.",
        doubt_table(trained.doubt));
  mtl::report::run_report(
      directory, trained.run, trained.network.model->tasks(), trained.validation,
      {.title = title,
       .data = fmt::format(
           "Daily values of the weather; judged on the days from {} to {}, which are the last ones "
           "and which training did not see.",
           date(0), date(-1)),
       .views = {{.task = "temp", .title = "Next day's mean temperature", .unit = "°C"},
                 {.task = "rh", .title = "Next day's mean humidity", .unit = "%"},
                 {.task = "weather",
                  .title = "Next day's weather",
                  .class_names = trained.network.encoding->classes().classes()}},
       .x_label = "day",
       .times = {seconds.data_ptr<double>(), seconds.data_ptr<double>() + seconds.numel()},
       .tables = tables,
       .warnings = warnings,
       .combiner = &trained.log});
}

}  // namespace weather
