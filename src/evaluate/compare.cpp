#include "mtl/evaluate/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "mtl/core/error.hpp"
#include "mtl/evaluate/bootstrap.hpp"
#include "mtl/evaluate/delta_m.hpp"
#include "mtl/evaluate/holm.hpp"
#include "trials.hpp"

namespace mtl::evaluate {
namespace {

using Scores = std::vector<Score>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Running running(const CompareOptions& options) {
  return {options.directory, options.identity, options.processes, options.memory};
}

void check(const CompareOptions& options) {
  distinct_folders(options.tasks, "a comparison needs tasks");
  if (distinct_folders(options.methods, "a comparison needs methods")
          .contains(std::string(single_task)))
    throw Error(
        "a method is called \"{}\", which stands for the models that joint ones are "
        "compared with; give it another name",
        single_task);
  if (options.seeds < 1) throw Error("seeds = {}: a comparison needs at least 1", options.seeds);
  check_running(running(options));
  evaluate_detail::require_level(options.level);
}

std::vector<Trial> trials_of(const CompareOptions& options) {
  std::vector<Trial> trials;
  for (int64_t n = 0; n < options.seeds; ++n) {
    const uint64_t seed = options.first_seed + static_cast<uint64_t>(n);
    const std::string last = fmt::format("seed-{}", seed);
    for (const std::string& task : options.tasks)
      trials.push_back({std::string(single_task),
                        {task},
                        seed,
                        options.directory / single_task / folder_name(task) / last});
    for (const std::string& method : options.methods)
      trials.push_back(
          {method, options.tasks, seed, options.directory / folder_name(method) / last});
  }
  return trials;
}

std::vector<Comparison::Finding> findings_of(const CompareOptions& options,
                                             const std::vector<Trial>& trials,
                                             const std::vector<Scores>& scores) {
  std::vector<Comparison::Finding> findings;
  const auto values = [&](std::string_view method, const Score& metric) {
    std::vector<double> by_seed;
    for (size_t i = 0; i < trials.size(); ++i) {
      const auto& tasks = trials[i].tasks;
      if (trials[i].method == method &&
          std::find(tasks.begin(), tasks.end(), metric.task) != tasks.end())
        by_seed.push_back(score_of(scores[i], metric, trials[i]));
    }
    return by_seed;
  };
  // A model of its own has no auxiliary task: the joint ones say which is one.
  const auto is_auxiliary = [&](const std::string& task) {
    return std::any_of(scores.begin(), scores.end(), [&](const Scores& of_trial) {
      return std::any_of(of_trial.begin(), of_trial.end(),
                         [&](const Score& score) { return score.task == task && score.auxiliary; });
    });
  };
  for (const std::string& method : options.methods) {
    for (size_t task = 0; task < options.tasks.size(); ++task) {
      const Score* judged = judged_score(scores[task], options.tasks[task]);
      const bool auxiliary = is_auxiliary(options.tasks[task]);
      for (const Score& score : scores[task]) {
        if (score.task != options.tasks[task]) continue;
        findings.push_back({method,
                            score.task,
                            score.metric,
                            score.better,
                            &score == judged && !auxiliary,
                            auxiliary,
                            values(method, score),
                            values(single_task, score),
                            {}});
      }
    }
  }
  return findings;
}

void judge_all(std::vector<Comparison::Finding>& findings, double level) {
  std::vector<size_t> judged;
  std::vector<double> p_values;
  for (size_t i = 0; i < findings.size(); ++i) {
    auto& finding = findings[i];
    finding.judgement = judge(finding.joint, finding.single, finding.better, level);
    if (!finding.judged || finding.judgement.verdict == Verdict::undecided) continue;
    judged.push_back(i);
    p_values.push_back(finding.judgement.p_value);
  }
  const std::vector<double> corrected = holm(p_values);
  for (size_t k = 0; k < judged.size(); ++k) {
    auto& finding = findings[judged[k]];
    finding.judgement = judge(finding.joint, finding.single, finding.better, level, corrected[k]);
  }
}

// Without memory of its own: the bootstrap asks ten thousand times.
Comparison::DeltaM delta_m_of(const std::string& method,
                              const std::vector<Comparison::Finding>& findings, int64_t seeds,
                              double level) {
  std::vector<const Comparison::Finding*> judged;
  bool finite = true;
  for (const auto& finding : findings) {
    if (finding.method != method || !finding.judged) continue;
    judged.push_back(&finding);
    for (size_t n = 0; n < finding.joint.size(); ++n)
      finite = finite && std::isfinite(finding.joint[n]) && std::isfinite(finding.single[n]);
  }
  Comparison::DeltaM result{method, nan, {nan, nan}};
  if (!finite || judged.empty()) return result;
  std::vector<TaskGain> gains;
  for (const auto* finding : judged) gains.push_back({finding->task, 0, 0, finding->better});
  const auto gain_of = [&](std::span<const size_t> places) {
    double sum = 0;
    for (size_t t = 0; t < judged.size(); ++t) {
      TaskGain& gain = gains[t];
      gain.joint = gain.single = 0;
      for (const size_t place : places) {
        gain.joint += judged[t]->joint[place] / static_cast<double>(places.size());
        gain.single += judged[t]->single[place] / static_cast<double>(places.size());
      }
      if (gain.single == 0) return nan;
      sum += relative_gain(gain);  // each task has one metric: this is evaluate::delta_m
    }
    return sum / static_cast<double>(judged.size());
  };
  std::vector<size_t> all(static_cast<size_t>(seeds));
  for (size_t n = 0; n < all.size(); ++n) all[n] = n;
  result.value = gain_of(all);
  const bool no_zero = std::all_of(judged.begin(), judged.end(), [](const auto* finding) {
    return std::none_of(finding->single.begin(), finding->single.end(),
                        [](double value) { return value == 0; });
  });
  if (all.size() > 1 && no_zero) result.interval = bootstrap_interval(all.size(), gain_of, level);
  return result;
}

}  // namespace

std::vector<Score> scores_of(const SplitRecord& record) {
  if (!record.names || record.losses.empty())
    throw Error(
        "a record without names or losses has no scores; take what validate() or a run "
        "with validation data gives");
  const ResultNames& names = *record.names;
  std::vector<Score> scores;
  for (size_t t = 0; t < names.tasks.size(); ++t) {
    const bool auxiliary = names.is_auxiliary(t);
    scores.push_back(
        {names.tasks[t], std::string(loss_name), record.losses[t], Better::lower, auxiliary});
    for (size_t m = 0; m < names.metrics[t].size() && t < record.metrics.size(); ++m)
      scores.push_back({names.tasks[t], names.metrics[t][m], record.metrics[t][m],
                        names.higher_is_better[t][m] ? Better::higher : Better::lower, auxiliary});
  }
  return scores;
}

Comparison compare(const CompareOptions& options, const Recipe& recipe) {
  check(options);
  const std::vector<Trial> trials = trials_of(options);
  const std::vector<Scores> scores = scores_of_trials(trials, running(options), recipe);
  Comparison comparison;
  comparison.seeds = options.seeds;
  comparison.level = options.level;
  comparison.findings = findings_of(options, trials, scores);
  judge_all(comparison.findings, options.level);
  for (const std::string& method : options.methods)
    comparison.delta_m.push_back(
        delta_m_of(method, comparison.findings, options.seeds, options.level));
  return comparison;
}

}  // namespace mtl::evaluate
