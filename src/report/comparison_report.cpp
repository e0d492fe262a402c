#include "mtl/report/comparison_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "mtl/report/intervals.hpp"
#include "sections.hpp"

namespace mtl::report {
namespace {

using Finding = evaluate::Comparison::Finding;

std::string mean_and_deviation(const std::vector<double>& values) {
  if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }))
    return "not finite";
  if (values.size() < 2) return fmt::format("{:.4g}", values.front());
  return fmt::format("{:.4g} ± {:.2g}", evaluate::mean(values),
                     evaluate::standard_deviation(values));
}

TextTable findings_table(const evaluate::Comparison& comparison, const std::string& percent) {
  TextTable table{{"task", "metric", "method", "joint", "one by one", "difference",
                   percent + " % interval", "verdict"},
                  {}};
  for (const Finding& finding : comparison.findings) {
    const auto& judgement = finding.judgement;
    const bool known = judgement.verdict != evaluate::Verdict::undecided;
    const auto& interval = judgement.difference.interval;
    table.rows.push_back(
        {finding.task + (finding.auxiliary ? " (auxiliary)" : ""), finding.metric, finding.method,
         mean_and_deviation(finding.joint), mean_and_deviation(finding.single),
         known ? fmt::format("{:+.2g}", judgement.difference.mean) : "–",
         known ? fmt::format("{:+.2g} to {:+.2g}", interval.low, interval.high) : "–",
         finding.judged ? judgement.text() : "not judged"});
  }
  return table;
}

// By how much of the single-task value a judged metric gets better, in per cent; nothing where that
// is unknown.
void add_gain(const Finding& finding, std::vector<Estimate>& gains) {
  if (!finding.judged || finding.judgement.verdict == evaluate::Verdict::undecided) return;
  const double single = std::abs(evaluate::mean(finding.single));
  if (!(single > 0)) return;
  const double unit = 100 / single * (finding.better == Better::higher ? 1 : -1);
  const auto& [low, high] = finding.judgement.difference.interval;
  gains.push_back({fmt::format("{} ({}): {}", finding.task, finding.metric, finding.method),
                   unit * finding.judgement.difference.mean, std::min(unit * low, unit * high),
                   std::max(unit * low, unit * high)});
}

// The methods of a task below each other.
std::vector<Estimate> gains_of(const evaluate::Comparison& comparison) {
  std::vector<std::string> tasks;
  for (const Finding& finding : comparison.findings)
    if (std::find(tasks.begin(), tasks.end(), finding.task) == tasks.end())
      tasks.push_back(finding.task);
  std::vector<Estimate> gains;
  for (const std::string& task : tasks)
    for (const Finding& finding : comparison.findings)
      if (finding.task == task) add_gain(finding, gains);
  return gains;
}

std::vector<Estimate> mean_gains(const evaluate::Comparison& comparison) {
  std::vector<Estimate> gains;
  for (const auto& [method, value, interval] : comparison.delta_m)
    if (std::isfinite(value))
      gains.push_back({method, 100 * value, 100 * std::min(value, interval.low),
                       100 * std::max(value, interval.high)});
  return gains;
}

}  // namespace

void add_comparison(Page& page, const evaluate::Comparison& comparison) {
  const std::string percent = fmt::format("{:.10g}", 100 * comparison.level);
  for (std::string& sentence : comparison.verdicts()) page.verdict.push_back(std::move(sentence));
  Section& section = page.section("Beside one model a task");
  section.text(fmt::format(
      "{} {} of each, paired by seed. \"joint\" and \"one by one\" are means over them, with the "
      "standard deviation. Verdicts at {} % by the paired t-test, with Holm's correction for all "
      "that are judged; the first metric of a task is. Where the seeds share one test set, the "
      "intervals are about the luck of first weights and order, not about other data.",
      comparison.seeds, comparison.seeds == 1 ? "run" : "runs", percent));
  section.table(findings_table(comparison, percent));
  if (auto gains = gains_of(comparison); !gains.empty())
    section.picture(
        "comparison",
        interval_chart({.title = "Learning the tasks together instead of one by one",
                        .x_label = "better by, per cent of the single-task value",
                        .estimates = std::move(gains),
                        .zero_line = true}),
        "The intervals here are of single comparisons, not corrected for their number.");
  if (auto gains = mean_gains(comparison); !gains.empty())
    section.picture("comparison_mean",
                    interval_chart({.title = "Mean relative gain over all judged tasks",
                                    .x_label = "better by, per cent of the single-task values",
                                    .estimates = std::move(gains),
                                    .zero_line = true}),
                    "By bootstrap over seeds.");
}

Page comparison_page(const evaluate::Comparison& comparison, const ComparisonReport& report) {
  Page page{report.title, report.verdict, {}, report.warnings};
  add_settings(page, report.data, report.settings);
  add_comparison(page, comparison);
  add_tables(page, report.tables);
  add_figures(page, report.figures);
  return page;
}

ReportFiles comparison_report(const std::filesystem::path& directory,
                              const evaluate::Comparison& comparison,
                              const ComparisonReport& report) {
  return write_page(comparison_page(comparison, report), directory, report.draw);
}

}  // namespace mtl::report
