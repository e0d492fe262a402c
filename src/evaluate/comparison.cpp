#include "mtl/evaluate/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "mtl/core/error.hpp"

namespace mtl::evaluate {
namespace {

std::string spread_text(const std::vector<double>& values) {
  const bool finite =
      std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  if (!finite) return "not finite";
  if (values.size() < 2) return fmt::format("{:.4g}", values.front());
  return fmt::format("{:.4g} ± {:.2g}", mean(values), standard_deviation(values));
}

std::string listed(const std::vector<std::string>& texts) {
  std::string all;
  for (size_t i = 0; i < texts.size(); ++i)
    all += (i == 0 ? "" : i + 1 == texts.size() ? " and " : ", ") + texts[i];
  return all;
}

// "temperature (mae 1.27 instead of 1.34)"
std::string with_values(const Comparison::Finding& finding) {
  return fmt::format("{} ({} {:.4g} instead of {:.4g})", finding.task, finding.metric,
                     mean(finding.joint), mean(finding.single));
}

// "95", "99.5"
std::string percent_text(double share) { return fmt::format("{:.10g}", 100 * share); }

io::Json json_of(const Interval& interval) { return {interval.low, interval.high}; }

}  // namespace

const Comparison::Finding& Comparison::at(std::string_view method, std::string_view task,
                                          std::string_view metric) const {
  std::string known;
  for (const Finding& finding : findings) {
    if (finding.method == method && finding.task == task && finding.metric == metric)
      return finding;
    known += fmt::format("{}{}/{}/{}", known.empty() ? "" : ", ", finding.method, finding.task,
                         finding.metric);
  }
  throw Error("the comparison has no \"{}/{}/{}\" (method/task/metric); there are {}", method, task,
              metric, known);
}

std::vector<std::string> Comparison::verdicts() const {
  const std::string percent = percent_text(level);
  std::vector<std::string> sentences;
  for (const DeltaM& gain : delta_m) {
    std::vector<std::string> helped, harmed, same, open, parts;
    for (const Finding& finding : findings) {
      if (finding.method != gain.method || !finding.judged) continue;
      switch (finding.judgement.verdict) {
        case Verdict::helps:
          helped.push_back(with_values(finding));
          break;
        case Verdict::harms:
          harmed.push_back(with_values(finding));
          break;
        case Verdict::no_difference:
          same.push_back(finding.task);
          break;
        case Verdict::undecided:
          open.push_back(finding.task);
          break;
      }
    }
    if (!helped.empty()) parts.push_back("helps " + listed(helped));
    if (!harmed.empty()) parts.push_back("harms " + listed(harmed));
    if (!same.empty())
      parts.push_back(
          fmt::format("makes no difference that {} runs can show to {}", seeds, listed(same)));
    if (!open.empty()) parts.push_back("decides nothing about " + listed(open));
    if (parts.empty()) parts.emplace_back("was not judged");
    std::string sentence =
        fmt::format("{}, beside one model a task, {}", gain.method, listed(parts));
    if (std::isfinite(gain.value)) {
      sentence += fmt::format(". Mean relative gain {:+.2f} %", 100 * gain.value);
      if (std::isfinite(gain.interval.low))
        sentence += fmt::format(" ({} % interval {:+.2f} to {:+.2f} %)", percent,
                                100 * gain.interval.low, 100 * gain.interval.high);
    }
    sentences.push_back(sentence + ".");
  }
  return sentences;
}

std::string Comparison::text() const {
  const std::string percent = percent_text(level);
  std::string text;
  for (const Finding& finding : findings) {
    const auto& [verdict, difference, effect, p_value, runs, more_runs] = finding.judgement;
    text += fmt::format("{}{} {}: {} {}, single-task {}", finding.task,
                        finding.auxiliary ? " (auxiliary)" : "", finding.metric, finding.method,
                        spread_text(finding.joint), spread_text(finding.single));
    if (verdict != Verdict::undecided)
      text +=
          fmt::format(", difference {:+.2g} ({} % interval {:+.2g} to {:+.2g})", difference.mean,
                      percent, difference.interval.low, difference.interval.high);
    if (finding.judged) text += ": " + finding.judgement.text();
    text += '\n';
  }
  for (const DeltaM& gain : delta_m) {
    text +=
        fmt::format("mean relative gain (delta_m) of {}: {:+.2f} %", gain.method, 100 * gain.value);
    if (std::isfinite(gain.interval.low))
      text += fmt::format(" ({} % interval {:+.2f} to {:+.2f} %)", percent, 100 * gain.interval.low,
                          100 * gain.interval.high);
    text += '\n';
  }
  text += fmt::format(
      "{} {} of each, paired by seed; verdicts at {} % with Holm's correction for {} comparisons. "
      "Where the seeds share one test set, intervals are about the luck of initialisation and "
      "order, not about other data\n",
      seeds, seeds == 1 ? "run" : "runs", percent,
      std::count_if(findings.begin(), findings.end(), [](const auto& f) { return f.judged; }));
  return text;
}

io::Json Comparison::json() const {
  io::Json json = {{"seeds", seeds}, {"level", level}};
  json["findings"] = io::Json::array();
  for (const Finding& finding : findings) {
    const Judgement& judgement = finding.judgement;
    io::Json entry = {{"method", finding.method},
                      {"task", finding.task},
                      {"metric", finding.metric},
                      {"better", finding.better == Better::higher ? "higher" : "lower"},
                      {"joint", finding.joint},
                      {"single_task", finding.single},
                      {"difference", judgement.difference.mean},
                      {"interval", json_of(judgement.difference.interval)},
                      {"effect_size", judgement.effect},
                      {"p_value", judgement.p_value}};
    if (finding.auxiliary) entry["auxiliary"] = true;
    if (finding.judged) {
      entry["verdict"] = evaluate::name_of(judgement.verdict);
      entry["text"] = judgement.text();
    }
    json["findings"].push_back(std::move(entry));
  }
  json["delta_m"] = io::Json::array();
  for (const DeltaM& gain : delta_m)
    json["delta_m"].push_back(
        {{"method", gain.method}, {"value", gain.value}, {"interval", json_of(gain.interval)}});
  return json;
}

}  // namespace mtl::evaluate
