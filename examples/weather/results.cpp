#include "results.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace weather {
namespace {

std::string number(double value, int decimals) {
  return std::isnan(value) ? "-" : fmt::format("{:.{}f}", value, decimals);
}

/// What is judged; the first metric is the one that counts.
std::vector<mtl::Task> judged_tasks() {
  const std::vector<mtl::Metric> of_values = {mtl::Mae{}, mtl::Nmae{}, mtl::Rmse{}};
  return {{.name = "temp", .metrics = of_values},
          {.name = "rh", .metrics = of_values},
          {.name = "weather",
           .metrics = {mtl::Accuracy{}, mtl::BalancedAccuracy{}, mtl::F1{.name = "macro_f1"}}}};
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

std::string comparison_text(const std::vector<Method>& methods) {
  mtl::report::TextTable table = comparison(methods);
  table.rows.insert(table.rows.begin(), table.header);
  std::string text;
  for (const auto& cells : table.rows)
    text += fmt::format("{:<12} {:>20} {:>18} {:>17}\n", cells[0], cells[1], cells[2], cells[3]);
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
       .tables = {{fmt::format("How good it is on {} days from {} to {}, none of which training "
                               "saw.",
                               seconds.size(0), date(0), date(-1)),
                   comparison(methods)},
                  {fmt::format("The recipe {}; nmae is mae divided by the largest minus the "
                               "smallest true value.",
                               name_of(trained.network.encoding->recipe())),
                   metrics}},
       .warnings = warnings});
}

}  // namespace weather
