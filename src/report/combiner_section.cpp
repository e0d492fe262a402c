#include "combiner_section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "mtl/report/curves.hpp"
#include "mtl/report/matrices.hpp"

namespace mtl::report {
namespace {

constexpr double absent = std::numeric_limits<double>::quiet_NaN();
constexpr size_t most_pairs = 10;  // of tasks, drawn over time

LinePlot plot_by_step(const std::string& title, const std::string& y_label,
                      const CombinerLog& log) {
  LinePlot plot{title, "step", y_label, {}, {}};
  for (const auto& entry : log.entries) plot.x.push_back(static_cast<double>(entry.step));
  return plot;
}

// Where a task stands in a report; -1: it had no labels then.
Eigen::Index place_of(const CombinerReport& seen, const std::string& task) {
  const auto found = std::find(seen.names.begin(), seen.names.end(), task);
  return found == seen.names.end() ? -1 : found - seen.names.begin();
}

bool has_value(const LinePlot& plot) {
  for (const Series& series : plot.series)
    for (const double value : series.values)
      if (std::isfinite(value)) return true;
  return false;
}

// One quantity by task; NaN where a task had no labels.
LinePlot by_task(LinePlot plot, const CombinerLog& log, const TaskRegistry& tasks,
                 Eigen::VectorXd CombinerReport::*quantity) {
  for (const Task& task : tasks) {
    Series series{task.name + (task.auxiliary ? " (auxiliary)" : ""), {}};
    for (const auto& [step, seen] : log.entries) {
      const Eigen::Index place = place_of(seen, task.name);
      const Eigen::VectorXd& values = seen.*quantity;
      series.values.push_back(place < 0 || place >= values.size() ? absent : values[place]);
    }
    plot.series.push_back(std::move(series));
  }
  return plot;
}

LinePlot conflicts(const CombinerLog& log) {
  LinePlot plot =
      plot_by_step("Pairs of tasks whose gradients conflict", "pairs with a negative cosine", log);
  Series& series = plot.series.emplace_back(Series{"conflicts", {}});
  for (const auto& [step, seen] : log.entries)
    series.values.push_back(static_cast<double>(seen.conflicts));
  return plot;
}

// The cosine of each pair; without series where there are too many.
LinePlot pairs(const CombinerLog& log, const TaskRegistry& tasks) {
  LinePlot plot = plot_by_step("Cosine between the gradients of two tasks", "cosine", log);
  const auto count = static_cast<size_t>(tasks.size());
  if (count * (count - 1) / 2 > most_pairs) return plot;
  for (int64_t a = 0; a < tasks.size(); ++a)
    for (int64_t b = a + 1; b < tasks.size(); ++b) {
      Series series{tasks[a].name + ", " + tasks[b].name, {}};
      for (const auto& [step, seen] : log.entries) {
        const Eigen::Index i = place_of(seen, tasks[a].name), j = place_of(seen, tasks[b].name);
        series.values.push_back(i < 0 || j < 0 ? absent : seen.cosines(i, j));
      }
      plot.series.push_back(std::move(series));
    }
  return plot;
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

void add_combiner(Page& page, const CombinerLog& log, const TaskRegistry& tasks) {
  if (log.entries.empty()) return;
  Section& section = page.section("How the tasks were combined");
  size_t conflicting = 0;
  for (const auto& [step, seen] : log.entries) conflicting += seen.conflicts > 0 ? 1 : 0;
  section.text(
      fmt::format("Seen at {} steps; at {} of them the gradients of some tasks pointed "
                  "apart (a negative cosine).",
                  log.entries.size(), conflicting));
  const auto add = [&](const std::string& file, const LinePlot& plot) {
    if (has_value(plot)) section.picture("combiner_" + file, lines(plot));
  };
  add("weights", by_task(plot_by_step("Weights of the tasks", "weight", log), log, tasks,
                         &CombinerReport::weights));
  add("shares", by_task(plot_by_step("Share of each task in the update", "share", log), log, tasks,
                        &CombinerReport::shares));
  if (tasks.size() > 1) {
    add("conflicts", conflicts(log));
    add("pairs", pairs(log, tasks));
  }
  section.picture("combiner_cosines", mean_cosines(log, tasks));
}

}  // namespace mtl::report
