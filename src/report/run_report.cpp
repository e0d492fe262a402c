#include "mtl/report/run_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "mtl/core/error.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/file.hpp"
#include "mtl/report/curves.hpp"
#include "mtl/report/matrices.hpp"
#include "mtl/report/predictions.hpp"
#include "mtl/task/metrics/confusion_matrix.hpp"
#include "script.hpp"

namespace mtl::report {
namespace {

std::string shown(double value) { return std::isnan(value) ? "–" : fmt::format("{:.4g}", value); }

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor flat = tensor.reshape({-1}).to(torch::kCPU, torch::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

// A task may be called anything; its file is not.
std::string file_name(const std::string& task) {
  std::string name;
  for (const char c : clean_text(task))
    name += std::string_view("/\\:*?\"<>| \n").find(c) == std::string_view::npos ? c : '_';
  return name.empty() || name.front() == '.' ? "_" + name : name;
}

TaskView view_of(const RunReport& report, const std::string& task) {
  for (TaskView view : report.views)
    if (view.task == task) {
      if (view.title.empty()) view.title = task;
      return view;
    }
  TaskView view;
  view.task = view.title = task;
  return view;
}

// Draws each picture once a format, into its files and into the page.
class Gallery {
 public:
  Gallery(std::filesystem::path directory, HtmlPage& page, DrawOptions options)
      : directory_(std::move(directory)), page_(page), options_(std::move(options)) {
    try {
      draw({"probe", "plot x\n", 100, 100}, Format::svg, options_);
    } catch (const NoGnuplot& error) {
      files.without_pictures = error.what();
    }
  }

  void add(const std::string& name, const Figure& figure, const std::string& caption = {}) {
    if (!files.without_pictures.empty()) return;
    const std::string svg = draw(figure, Format::svg, options_);
    for (const auto* extension : {".png", ".svg"}) {
      files.pictures.push_back(directory_ / (name + extension));
      io::write_file_atomically(files.pictures.back(), extension == std::string_view(".svg")
                                                           ? svg
                                                           : draw(figure, Format::png, options_));
    }
    page_.svg(svg, figure.title, caption);
  }

  RunFiles files;

 private:
  std::filesystem::path directory_;
  HtmlPage& page_;
  DrawOptions options_;
};

TextTable metric_table(const TrainingRun& run, const RunReport& report) {
  TextTable table{{"task", "measure", "best epoch", "last epoch"}, {}};
  const History& history = run.history;
  if (history.epochs.empty()) return table;
  const EpochRecord& best =
      history.epochs[static_cast<size_t>(std::max<int64_t>(run.best_epoch, 1) - 1)];
  const EpochRecord& last = history.epochs.back();
  table.rows.push_back({"all", "training loss", shown(best.train.total), shown(last.train.total)});
  if (history.has_validation())
    table.rows.push_back(
        {"all", "validation loss", shown(best.valid.total), shown(last.valid.total)});
  for (size_t t = 0; t < history.tasks.size(); ++t) {
    const std::string title = view_of(report, history.tasks[t]).title;
    table.rows.push_back(
        {title, "training loss", shown(best.train.losses[t]), shown(last.train.losses[t])});
    if (!history.has_validation()) continue;
    table.rows.push_back(
        {title, "validation loss", shown(best.valid.losses[t]), shown(last.valid.losses[t])});
    for (size_t m = 0; m < history.metrics[t].size(); ++m)
      table.rows.push_back({title, "validation " + history.metrics[t][m],
                            shown(best.valid.metrics[t][m]), shown(last.valid.metrics[t][m])});
  }
  return table;
}

void add_losses(Gallery& gallery, const TrainingRun& run, const RunReport& report) {
  const History& history = run.history;
  LossCurves total{"total", {}, {}};
  std::vector<LossCurves> by_task;
  for (const auto& task : history.tasks) by_task.push_back({view_of(report, task).title, {}, {}});
  for (const EpochRecord& record : history.epochs) {
    total.train.push_back(record.train.total);
    if (history.has_validation()) total.validation.push_back(record.valid.total);
    for (size_t t = 0; t < by_task.size(); ++t) {
      by_task[t].train.push_back(record.train.losses[t]);
      if (history.has_validation()) by_task[t].validation.push_back(record.valid.losses[t]);
    }
  }
  // What never had a label has nothing to show.
  const auto empty = [](const LossCurves& panel) {
    return range_of(panel.train).low > range_of(panel.train).high &&
           range_of(panel.validation).low > range_of(panel.validation).high;
  };
  if (!empty(total)) gallery.add("loss_total", loss_curves("Total loss", {total}, run.best_epoch));
  std::erase_if(by_task, empty);
  if (!by_task.empty())
    gallery.add("loss_by_task", loss_curves("Loss by task", by_task, run.best_epoch));
}

void add_regression(Gallery& gallery, const TaskView& view, const RunReport& report,
                    const Tensor& prediction, const Tensor& target) {
  PredictionPlot plot{view.title + ", " + report.split,
                      view.title,
                      view.unit,
                      values_of(target),
                      values_of(prediction),
                      report.x_label,
                      report.times};
  for (auto* values : {&plot.truth, &plot.prediction})
    for (double& value : *values) value = view.scale * value + view.offset;
  if (plot.times.size() != plot.truth.size()) plot.times.clear();
  gallery.add(file_name(view.task) + "_series", prediction_series(plot));
  gallery.add(file_name(view.task) + "_scatter", prediction_scatter(plot));
}

// Truth by rows, predictions by columns: [C, C].
Eigen::MatrixXd counts_of(const Tensor& scores, const Tensor& classes) {
  if (scores.size(1) == 1)  // with a single class every labelled sample is right
    return Eigen::MatrixXd::Constant(1, 1, (classes >= 0).sum().item<double>());
  const Tensor counts = confusion_matrix(scores, classes);
  const auto values = values_of(counts);
  return Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
      values.data(), counts.size(0), counts.size(1));
}

// Precision and recall by class; "–" where a class was never predicted or never there.
TextTable class_table(const std::vector<std::string>& names, const Eigen::MatrixXd& counts) {
  TextTable table{{"class", "samples", "precision", "recall", "F1"}, {}};
  for (Eigen::Index c = 0; c < counts.rows(); ++c) {
    const double hits = counts(c, c), present = counts.row(c).sum(),
                 predicted = counts.col(c).sum();
    const double none = std::numeric_limits<double>::quiet_NaN();
    table.rows.push_back(
        {names[static_cast<size_t>(c)], fmt::format("{}", present),
         shown(predicted > 0 ? hits / predicted : none), shown(present > 0 ? hits / present : none),
         shown(present + predicted > 0 ? 2 * hits / (present + predicted) : none)});
  }
  return table;
}

void add_classification(Gallery& gallery, HtmlPage& page, const TaskView& view,
                        const RunReport& report, const Tensor& scores, const Tensor& classes) {
  const Eigen::MatrixXd counts = counts_of(scores, classes);
  std::vector<std::string> names = view.class_names;
  if (names.empty())
    for (Eigen::Index c = 0; c < counts.rows(); ++c) names.push_back(std::to_string(c));
  if (static_cast<Eigen::Index>(names.size()) != counts.rows())
    throw Error("report: task \"{}\" has {} classes, but {} class names", view.task, counts.rows(),
                names.size());
  gallery.add(file_name(view.task) + "_confusion",
              confusion_chart({view.title + ", " + report.split, names, counts}));
  page.table(class_table(names, counts), view.title + " by class, " + report.split);
}

void add_task(Gallery& gallery, HtmlPage& page, const Task& task, const Predictions& predictions,
              const RunReport& report) {
  const Tensor* prediction = predictions.predictions.find(task.name);
  const Tensor* target = predictions.targets.find(task.target_name());
  if (!prediction || !target || target->numel() == 0) return;
  const bool classes = !target->is_floating_point() && prediction->dim() == 2 && target->dim() == 1;
  const bool values = target->is_floating_point() && task.loss.kind() == LossKind::regression &&
                      prediction->numel() == target->numel() && target->numel() == target->size(0);
  const bool labelled =
      classes
          ? (*target >= 0).any().item<bool>()
          : values &&
                (prediction->reshape({-1}) - target->reshape({-1})).isfinite().any().item<bool>();
  if (!classes && !values) return;
  const TaskView view = view_of(report, task.name);
  page.heading(view.title);
  if (!labelled) {
    page.text(
        fmt::format("No sample of the {} data has a label and a finite prediction.", report.split));
    return;
  }
  if (classes)
    add_classification(gallery, page, view, report, *prediction, *target);
  else
    add_regression(gallery, view, report, *prediction, *target);
}

// Series of one quantity by task from a combiner's reports; NaN where a task had no labels.
Figure combiner_lines(const std::string& title, const std::string& y_label, const CombinerLog& log,
                      const TaskRegistry& tasks, Eigen::VectorXd CombinerReport::*quantity) {
  LinePlot plot{title, "step", y_label, {}, {}};
  for (const auto& entry : log.entries) plot.x.push_back(static_cast<double>(entry.step));
  for (const Task& task : tasks) {
    Series series{task.name, {}};
    for (const auto& [step, seen] : log.entries) {
      const auto found = std::find(seen.names.begin(), seen.names.end(), task.name);
      series.values.push_back(found == seen.names.end()
                                  ? std::numeric_limits<double>::quiet_NaN()
                                  : (seen.*quantity)[found - seen.names.begin()]);
    }
    plot.series.push_back(std::move(series));
  }
  return lines(plot);
}

// The mean over all reports in which both tasks had a gradient.
Figure mean_cosines(const CombinerLog& log, const TaskRegistry& tasks) {
  const auto size = static_cast<Eigen::Index>(tasks.size());
  Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(size, size), counts = sums;
  for (const auto& [step, seen] : log.entries)
    for (Eigen::Index i = 0; i < seen.cosines.rows(); ++i)
      for (Eigen::Index j = 0; j < seen.cosines.cols(); ++j) {
        if (!std::isfinite(seen.cosines(i, j))) continue;
        const auto row = tasks.index_of(seen.names[static_cast<size_t>(i)]);
        const auto column = tasks.index_of(seen.names[static_cast<size_t>(j)]);
        sums(row, column) += seen.cosines(i, j);
        ++counts(row, column);
      }
  std::vector<std::string> names;
  for (const Task& task : tasks) names.push_back(task.name);
  return cosine_heat_map(
      fmt::format("Cosines between task gradients, mean of {} steps", log.entries.size()), names,
      sums.cwiseQuotient(counts));
}

}  // namespace

RunFiles run_report(const std::filesystem::path& directory, const TrainingRun& run,
                    const TaskRegistry& tasks, const Predictions& predictions,
                    const RunReport& report) {
  io::make_folder(directory);
  HtmlPage page(report.title);
  Gallery gallery(directory, page, report.draw);
  auto warnings = report.warnings;
  if (!gallery.files.without_pictures.empty()) warnings.push_back(gallery.files.without_pictures);
  if (run.faulty_batches > 0)
    warnings.push_back(fmt::format(
        "{} batches were skipped: their loss or gradient was not finite.", run.faulty_batches));

  page.text(fmt::format("{} epochs, {} steps in {:.1f} s; stopped: {}. Best epoch: {}.",
                        run.epochs(), run.steps, run.seconds, run.stop_text, run.best_epoch));
  if (!run.drawn.empty()) page.text("Batches " + run.drawn_text() + ".");
  page.warnings(warnings);
  for (const auto& [caption, table] : report.tables) page.table(table, caption);
  if (run.epochs() > 0) {
    page.heading("Losses").table(metric_table(run, report));
    add_losses(gallery, run, report);
  }
  for (const Task& task : tasks) add_task(gallery, page, task, predictions, report);
  if (report.combiner && !report.combiner->entries.empty()) {
    page.heading("How the tasks were combined");
    gallery.add("combiner_weights",
                combiner_lines("Weights of the tasks", "weight", *report.combiner, tasks,
                               &CombinerReport::weights));
    gallery.add("combiner_shares",
                combiner_lines("Share of each task in the update", "share", *report.combiner, tasks,
                               &CombinerReport::shares));
    gallery.add("combiner_cosines", mean_cosines(*report.combiner, tasks));
  }
  if (!report.figures.empty()) page.heading("More pictures");
  for (const auto& [name, figure] : report.figures) gallery.add(name, figure);
  if (!report.settings.empty()) {
    TextTable table{{"setting", "value"}, {}};
    for (const auto& [name, value] : report.settings) table.rows.push_back({name, value});
    page.heading("Settings").table(table);
  }
  gallery.files.page = directory / "report.html";
  page.save(gallery.files.page);
  return gallery.files;
}

}  // namespace mtl::report
