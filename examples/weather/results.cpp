#include <fmt/format.h>

#include "results.hpp"

#include <cmath>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include "mtl/report/curves.hpp"
#include "mtl/report/html.hpp"
#include "mtl/report/matrices.hpp"
#include "mtl/report/predictions.hpp"
#include "mtl/task/metrics/confusion_matrix.hpp"

namespace weather {
namespace {

mtl::io::Json to_json(const Scores& scores) {
  mtl::io::Json json = mtl::io::Json::object();
  for (const auto& [task, metrics] : scores) {
    for (const auto& [name, value] : metrics) json[task][name] = value;
  }
  return json;
}

mtl::io::Json to_json(const Trained& trained) {
  return {{"tasks", to_json(score(trained.outcome))},
          {"epochs", trained.run.epochs()},
          {"best_epoch", trained.best_epoch},
          {"seconds_per_epoch", trained.seconds_per_epoch}};
}

std::string number(double value, int decimals) {
  return std::isnan(value) ? "-" : fmt::format("{:.{}f}", value, decimals);
}

std::vector<double> to_vector(const mtl::Tensor& values) {
  const mtl::Tensor numbers = values.to(torch::kFloat64).contiguous();
  return {numbers.data_ptr<double>(), numbers.data_ptr<double>() + numbers.numel()};
}

struct Picture {
  std::string file;
  mtl::report::Figure figure;
};

Picture curves_of(const Trained& trained) {
  const mtl::History& history = trained.run.history;
  std::vector<mtl::report::LossCurves> panels(history.tasks.size() + 1);
  panels[0].title = "total";
  for (size_t task = 0; task < history.tasks.size(); ++task)
    panels[task + 1].title = history.tasks[task];
  for (const mtl::EpochRecord& epoch : history.epochs) {
    panels[0].train.push_back(epoch.train.total);
    panels[0].validation.push_back(epoch.valid.total);
    for (size_t task = 0; task < history.tasks.size(); ++task) {
      panels[task + 1].train.push_back(epoch.train.losses[task]);
      panels[task + 1].validation.push_back(epoch.valid.losses[task]);
    }
  }
  return {"losses", mtl::report::loss_curves("Loss by epoch", panels, trained.run.best_epoch)};
}

mtl::report::PredictionPlot plot_of(const Outcome& outcome, bool temperature) {
  mtl::report::PredictionPlot result;
  result.title = temperature ? "Next day's mean temperature, validation"
                             : "Next day's mean humidity, validation";
  result.quantity = temperature ? "temperature" : "humidity";
  result.unit = temperature ? "°C" : "%";
  result.truth = to_vector(temperature ? outcome.true_temp : outcome.true_rh);
  result.prediction = to_vector(temperature ? outcome.temp : outcome.rh);
  result.x_label = "day";
  for (const Date date : outcome.dates) {
    result.times.push_back(
        static_cast<double>(std::chrono::sys_seconds(date).time_since_epoch().count()));
  }
  return result;
}

Picture confusion_of(const Trained& trained) {
  const mtl::Tensor counts =
      mtl::confusion_matrix(trained.outcome.weather, trained.outcome.true_weather);
  mtl::report::ConfusionChart matrix{
      "Next day's weather, validation", trained.encoding.classes(), {}};
  matrix.counts.resize(counts.size(0), counts.size(1));
  for (int64_t row = 0; row < counts.size(0); ++row) {
    for (int64_t column = 0; column < counts.size(1); ++column) {
      matrix.counts(row, column) = static_cast<double>(counts[row][column].item<int64_t>());
    }
  }
  return {"weather_confusion", mtl::report::confusion_chart(matrix)};
}

std::vector<Picture> pictures_of(const Trained& trained) {
  const auto temp = plot_of(trained.outcome, true), rh = plot_of(trained.outcome, false);
  return {curves_of(trained),
          {"temp_series", mtl::report::prediction_series(temp)},
          {"temp_scatter", mtl::report::prediction_scatter(temp)},
          {"rh_series", mtl::report::prediction_series(rh)},
          {"rh_scatter", mtl::report::prediction_scatter(rh)},
          confusion_of(trained)};
}

}  // namespace

std::vector<Compared> baselines(const Parts& parts) {
  return {{"persistence", score(persistence(parts))},
          {"majority", score(majority(parts))},
          {"ridge", score(ridge(parts))}};
}

mtl::io::Json metrics_json(const Trained& main, const Trained* other,
                           const std::vector<Compared>& baselines) {
  mtl::io::Json json = to_json(main);
  if (other != nullptr)
    json["recipes"][std::string(name_of(other->encoding.recipe()))] = to_json(*other);
  for (const Compared& baseline : baselines)
    json["baselines"][baseline.name] = to_json(baseline.scores);
  return json;
}

std::vector<std::vector<std::string>> comparison(const std::vector<Compared>& rows) {
  std::vector<std::vector<std::string>> table = {
      {"method", "temperature MAE (°C)", "humidity MAE (%)", "weather accuracy"}};
  for (const Compared& row : rows) {
    table.push_back({row.name, number(score_of(row.scores, "temp", "mae"), 2),
                     number(score_of(row.scores, "rh", "mae"), 2),
                     number(score_of(row.scores, "weather", "accuracy"), 3)});
  }
  return table;
}

std::string comparison_text(const std::vector<Compared>& rows) {
  std::string text;
  for (const auto& cells : comparison(rows)) {
    text += fmt::format("{:<12} {:>20} {:>18} {:>17}\n", cells[0], cells[1], cells[2], cells[3]);
  }
  return text;
}

void write_report(const std::filesystem::path& directory, const std::string& title,
                  const Trained& trained, const std::vector<Compared>& rows,
                  const std::vector<std::string>& warnings) {
  mtl::report::HtmlPage page(title);
  page.warnings(warnings);
  const auto table = comparison(rows);
  page.heading("How good it is");
  page.table({table.front(), {table.begin() + 1, table.end()}},
             fmt::format("{} days from {} to {}, none of which training saw.",
                         trained.outcome.dates.size(), to_text(trained.outcome.dates.front()),
                         to_text(trained.outcome.dates.back())));
  mtl::report::TextTable metrics{{"task", "metric", "validation"}, {}};
  for (const auto& [task, values] : score(trained.outcome)) {
    for (const auto& [name, value] : values) metrics.rows.push_back({task, name, number(value, 4)});
  }
  page.heading(fmt::format("The recipe {}", name_of(trained.encoding.recipe())));
  page.text(trained.run.brief());
  page.table(metrics, "nmae is mae divided by the largest minus the smallest true value.");
  try {
    for (const Picture& picture : pictures_of(trained)) {
      mtl::report::save(picture.figure, directory / (picture.file + ".png"));
      page.figure(picture.figure);
    }
  } catch (const mtl::report::NoGnuplot& error) {
    page.warnings({fmt::format("There are no pictures: {}", error.what())});
  }
  page.save(directory / "report.html");
}

}  // namespace weather
