#include "mtl/report/run_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "combiner_section.hpp"
#include "mtl/core/error.hpp"
#include "mtl/report/comparison_report.hpp"
#include "mtl/report/contact_sheet.hpp"
#include "mtl/report/curves.hpp"
#include "mtl/report/matrices.hpp"
#include "mtl/report/predictions.hpp"
#include "mtl/report/reliability.hpp"
#include "script.hpp"
#include "sections.hpp"
#include "task_answers.hpp"

namespace mtl::report {
namespace {

using Kind = TaskAnswers::Kind;

constexpr size_t most_classes_drawn = 100;

std::string shown(double value) { return std::isnan(value) ? "–" : fmt::format("{:.4g}", value); }

// A task may be called anything; its file is not, nor longer than file systems allow.
std::string file_name(const std::string& task) {
  std::string name;
  for (const char c : clean_text(task))
    name += std::string_view("/\\:*?\"<>| \n").find(c) == std::string_view::npos ? c : '_';
  constexpr size_t longest = 120;
  if (name.size() > longest) {
    size_t end = longest;
    while ((static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;  // within a letter
    name.resize(end);
  }
  return name.empty() || name.front() == '.' ? "_" + name : name;
}

std::string date_of(double seconds) {
  using namespace std::chrono;
  const year_month_day date(sys_days(days(static_cast<int64_t>(std::floor(seconds / 86400)))));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

// Whether a calendar has the day.
bool is_date(double seconds) { return std::abs(seconds) < 8e11; }

std::string sample_name(const RunReport& report, const TaskAnswers& found,
                        const TaskAnswers::Answer& answer) {
  const auto place = static_cast<size_t>(answer.sample);
  std::string name =
      report.sample_name ? report.sample_name(answer.sample)
      : static_cast<int64_t>(report.times.size()) == found.samples && is_date(report.times[place])
          ? date_of(report.times[place])
          : fmt::format("{} {}", report.x_label, answer.sample + 1);
  if (found.outputs > 1) name += fmt::format(", output {}", answer.output + 1);
  return name;
}

std::string title_of(const History& history, size_t task, const RunReport& report) {
  return view_of(report, history.tasks[task]).title +
         (history.is_auxiliary(task) ? " (auxiliary)" : "");
}

TextTable metric_table(const TrainingRun& run, const RunReport& report) {
  TextTable table{{"task", "measure", "best epoch", "last epoch"}, {}};
  const History& history = run.history;
  const EpochRecord& best =
      history.epochs[static_cast<size_t>(std::max<int64_t>(run.best_epoch, 1) - 1)];
  const EpochRecord& last = history.epochs.back();
  table.rows.push_back({"all", "training loss", shown(best.train.total), shown(last.train.total)});
  if (history.has_validation())
    table.rows.push_back(
        {"all", "validation loss", shown(best.valid.total), shown(last.valid.total)});
  for (size_t t = 0; t < history.tasks.size(); ++t) {
    const std::string title = title_of(history, t, report);
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

void add_what_was_run(Page& page, const TrainingRun& run, const RunReport& report) {
  // No clock times: the same run, resumed or not, has the same page.
  std::string text = fmt::format("{} epochs, {} steps; stopped: {}. Best epoch: {}.", run.epochs(),
                                 run.steps, run.stop_text, run.best_epoch);
  if (!run.drawn.empty()) text += "\nBatches " + run.drawn_text() + ".";
  if (!report.data.empty()) text = report.data + "\n" + text;
  Settings settings = run.made_of;
  settings.insert(settings.end(), report.settings.begin(), report.settings.end());
  add_settings(page, text, settings);
}

// The last epoch beside the best one, in a sentence; nothing without validation.
std::string fit_sentence(const TrainingRun& run) {
  const auto epochs = run.epochs();
  if (!run.history.has_validation() || run.best_epoch < 1) return {};
  const double best = run.best().valid.total, last = run.history.last().valid.total;
  if (!std::isfinite(best) || !std::isfinite(last)) return {};
  if (run.best_epoch == epochs)
    return fmt::format("The last of {} epochs was the best on the validation data.", epochs);
  if (!(best > 0)) return {};
  return fmt::format(
      "The validation loss was lowest after epoch {} of {} and is {:.1f}\u00a0% higher at the end.",
      run.best_epoch, epochs, 100 * (last / best - 1));
}

void add_curves(Page& page, const TrainingRun& run, const RunReport& report) {
  const History& history = run.history;
  if (history.epochs.empty()) return;
  Section& section = page.section("Learning");
  if (const std::string text = fit_sentence(run); !text.empty()) section.text(text);
  LossCurves total{"total", {}, {}};
  std::vector<LossCurves> by_task;
  for (size_t t = 0; t < history.tasks.size(); ++t)
    by_task.push_back({title_of(history, t, report), {}, {}});
  for (const EpochRecord& record : history.epochs) {
    total.train.push_back(record.train.total);
    if (history.has_validation()) total.validation.push_back(record.valid.total);
    for (size_t t = 0; t < by_task.size(); ++t) {
      by_task[t].train.push_back(record.train.losses[t]);
      if (history.has_validation()) by_task[t].validation.push_back(record.valid.losses[t]);
    }
  }
  const auto add = [&](const std::string& file, const std::string& title, const LossCurves& panel) {
    // What never had a label has nothing to show.
    if (range_of(panel.train).low > range_of(panel.train).high &&
        range_of(panel.validation).low > range_of(panel.validation).high)
      return;
    Figure figure = loss_curves(title, {panel}, run.best_epoch);
    figure.width = 540;
    figure.height = 360;
    section.picture(file, std::move(figure));
  };
  add("loss_total", "Total loss", total);
  for (size_t t = 0; t < by_task.size(); ++t)
    add("loss_" + file_name(history.tasks[t]), "Loss of " + by_task[t].title, by_task[t]);
  section.table(metric_table(run, report));
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

void add_classification(Section& section, const TaskAnswers& found, const RunReport& report) {
  const std::string file = file_name(found.view.task), title = found.title() + ", " + report.split;
  if (found.class_names.size() <= most_classes_drawn)
    section.picture(file + "_confusion", confusion_chart({title, found.class_names, found.counts}));
  if (found.kind != Kind::regions && found.class_names.size() > 1) {
    ReliabilityChart chart{.title = title};
    for (const auto& answer : found.answers) {
      const bool yes_no = found.kind == Kind::yes_no;
      chart.probability.push_back(!yes_no           ? answer.given
                                  : answer.said > 0 ? answer.given
                                                    : 1 - answer.given);
      chart.right.push_back(yes_no ? answer.soft_truth : answer.said == answer.truth ? 1 : 0);
    }
    if (found.kind == Kind::yes_no) {
      chart.x_label = fmt::format("probability given to \"{}\"", found.class_names[1]);
      chart.y_label = fmt::format("share of \"{}\"", found.class_names[1]);
    }
    section.picture(file + "_reliability", reliability_chart(chart),
                    "Below the line: surer than right.");
  }
  section.table(class_table(found.class_names, found.counts),
                found.title() + " by class, " + report.split);
}

void add_regression(Section& section, const TaskAnswers& found, const RunReport& report) {
  PredictionPlot plot{found.title() + ", " + report.split,
                      found.view.title,
                      found.view.unit,
                      found.truth,
                      found.prediction,
                      report.x_label,
                      report.times};
  if (plot.times.size() != plot.truth.size()) plot.times.clear();
  const std::string file = file_name(found.view.task);
  if (found.outputs == 1) section.picture(file + "_series", prediction_series(plot));
  section.picture(file + "_scatter", prediction_scatter(plot));
}

void add_answers(Page& page, const TaskAnswers& found, const RunReport& report) {
  if (found.kind == Kind::none) return;
  Section& section = page.section(found.title());
  if (found.empty()) {
    section.text(
        fmt::format("No sample of the {} data has a label and a finite prediction.", report.split));
    return;
  }
  if (found.kind == Kind::values)
    add_regression(section, found, report);
  else
    add_classification(section, found, report);
}

// The surest wrong classes and the largest errors, at most as many as asked for.
std::vector<TaskAnswers::Answer> worst_of(const TaskAnswers& found, int64_t most) {
  std::vector<TaskAnswers::Answer> wrong;
  for (const auto& answer : found.answers)
    if (answer.said != answer.truth) wrong.push_back(answer);
  const auto how_bad = [&](const TaskAnswers::Answer& answer) {
    return found.kind == Kind::values ? std::abs(answer.said - answer.truth)
                                      : std::log(answer.given) - std::log(answer.to_truth);
  };
  std::stable_sort(wrong.begin(), wrong.end(),
                   [&](const auto& a, const auto& b) { return how_bad(a) > how_bad(b); });
  if (std::ssize(wrong) > most) wrong.resize(static_cast<size_t>(std::max<int64_t>(most, 0)));
  return wrong;
}

void add_mistakes(Section& section, const TaskAnswers& found, const RunReport& report) {
  const auto wrong = worst_of(found, report.worst);
  if (wrong.empty()) return;
  const bool values = found.kind == Kind::values;
  const std::string unit = found.view.unit.empty() ? "" : " [" + found.view.unit + "]";
  const std::string name = report.times.empty() || report.sample_name ? report.x_label : "date";
  TextTable table{
      values ? std::vector<std::string>{name, "true" + unit, "predicted" + unit, "error" + unit}
             : std::vector<std::string>{name, "true", "predicted", "given to it",
                                        "given to the truth"},
      {}};
  std::vector<Tile> tiles;
  for (const auto& answer : wrong) {
    const std::string sample = sample_name(report, found, answer);
    if (values) {
      table.rows.push_back({sample, shown(answer.truth), shown(answer.said),
                            fmt::format("{:+.3g}", answer.said - answer.truth)});
    } else {
      const auto& names = found.class_names;
      table.rows.push_back({sample, names[static_cast<size_t>(answer.truth)],
                            names[static_cast<size_t>(answer.said)],
                            fmt::format("{:.1f} %", 100 * answer.given),
                            fmt::format("{:.1f} %", 100 * answer.to_truth)});
    }
    if (report.sample_picture)
      tiles.push_back(
          {report.sample_picture(answer.sample),
           fmt::format("{}\nsaid {}\n{}", table.rows.back()[1], table.rows.back()[2], sample)});
  }
  if (!tiles.empty())
    section.picture(file_name(found.view.task) + "_mistakes",
                    contact_sheet(found.title() + ": the worst mistakes", tiles));
  section.table(std::move(table),
                found.title() + (values ? ": the largest errors" : ": wrong, and surest of it"));
}

std::vector<std::string> warnings_of(const TrainingRun& run, const RunReport& report) {
  std::vector<std::string> warnings = report.warnings;
  const auto first = [&] {
    return run.first_fault.empty() ? std::string(".") : "; the first: " + run.first_fault + ".";
  };
  if (run.faulty_batches > 0)
    warnings.push_back(
        fmt::format("{} batches were skipped: their loss or gradient was not finite{}",
                    run.faulty_batches, first()));
  if (run.faulty_rows > 0)
    warnings.push_back(fmt::format(
        "{} rows of the validation were left out: their loss was not finite.", run.faulty_rows));
  if (run.unlabelled_batches > 0)
    warnings.push_back(fmt::format("{} batches had no label of any task.", run.unlabelled_batches));
  if (!run.untrained.empty())
    warnings.push_back(fmt::format("{} parameters were not trained, among them {}.",
                                   run.untrained.size(), run.untrained.front()));
  for (const FrozenTask& task : run.frozen)
    warnings.push_back(
        fmt::format("Task \"{}\" learnt no more from epoch {} on.", task.name, task.epoch));
  return warnings;
}

}  // namespace

Page run_page(const TrainingRun& run, const TaskRegistry& tasks, const Predictions& predictions,
              const RunReport& report) {
  Page page{report.title, report.verdict, {}, warnings_of(run, report)};
  std::vector<TaskAnswers> all;
  for (const Task& task : tasks) {
    all.push_back(task_answers(task, predictions, view_of(report, task.name)));
    if (std::string sentence = sentence_of(all.back(), report.split); !sentence.empty())
      page.verdict.push_back(std::move(sentence));
  }
  if (page.verdict.empty())
    page.verdict.push_back(fmt::format("The {} data have nothing to judge this run by: {} epochs.",
                                       report.split, run.epochs()));
  add_tables(page, report.tables);
  add_what_was_run(page, run, report);
  add_curves(page, run, report);
  for (const TaskAnswers& found : all) add_answers(page, found, report);
  if (report.combiner) add_combiner(page, *report.combiner, tasks);
  if (report.worst > 0) {
    Section& section = page.section("The worst mistakes");
    for (const TaskAnswers& found : all) add_mistakes(section, found, report);
  }
  if (report.comparison) add_comparison(page, *report.comparison);
  add_figures(page, report.figures);
  return page;
}

ReportFiles run_report(const std::filesystem::path& directory, const TrainingRun& run,
                       const TaskRegistry& tasks, const Predictions& predictions,
                       const RunReport& report) {
  return write_page(run_page(run, tasks, predictions, report), directory, report.draw);
}

}  // namespace mtl::report
