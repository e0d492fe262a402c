#include "mtl/evaluate/compare.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "mtl/core/error.hpp"
#include "mtl/evaluate/bootstrap.hpp"
#include "mtl/evaluate/delta_m.hpp"
#include "mtl/evaluate/holm.hpp"
#include "mtl/io/file_lock.hpp"
#include "worker_processes.hpp"

namespace mtl::evaluate {
namespace {

using Scores = std::vector<Score>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view loss_name = "loss";

// A method's text may hold what no file name should.
std::string folder_name(std::string_view text) {
  std::string name(text);
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (!(std::isalnum(byte) || c == '.' || c == '-' || c == '_' || byte >= 0x80)) c = '_';
  }
  return name == "." || name == ".." ? "_" + name : name;
}

void check(const CompareOptions& options) {
  const auto distinct = [](const std::vector<std::string>& names, const char* what) {
    std::set<std::string> folders;
    if (names.empty()) throw Error("a comparison needs {}", what);
    for (const std::string& name : names) {
      if (name.empty()) throw Error("a comparison needs {}, one of these has no name", what);
      if (!folders.insert(folder_name(name)).second)
        throw Error(
            "\"{}\" is there twice, or names a folder that another one has; a comparison "
            "needs {} with names of their own",
            name, what);
    }
    return folders;
  };
  distinct(options.tasks, "tasks");
  if (distinct(options.methods, "methods").count(std::string(single_task)) > 0)
    throw Error(
        "a method is called \"{}\", which stands for the models that joint ones are "
        "compared with; give it another name",
        single_task);
  if (options.seeds < 1) throw Error("seeds = {}: a comparison needs at least 1", options.seeds);
  if (options.processes < 1) throw Error("processes = {}: at least 1", options.processes);
  if (options.memory < 0) throw Error("memory = {}: bytes, or 0 for no end", options.memory);
  if (options.directory.empty())
    throw Error("a comparison needs a directory, where the scores of each run are kept");
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

std::string name_of(const Trial& trial) {
  return trial.method == single_task
             ? fmt::format("single-task \"{}\", seed {}", trial.tasks.front(), trial.seed)
             : fmt::format("method \"{}\", seed {}", trial.method, trial.seed);
}

io::Json identity_of(const Trial& trial, const CompareOptions& options) {
  return {{"identity", options.identity},
          {"method", trial.method},
          {"tasks", trial.tasks},
          {"seed", trial.seed}};
}

std::filesystem::path file_of(const Trial& trial) { return trial.directory / "scores.json"; }

// Of a run that has ended before; none where it has not.
std::optional<Scores> read_scores(const Trial& trial, const CompareOptions& options) {
  const auto path = file_of(trial);
  if (!std::filesystem::exists(path)) return {};
  const io::Json json = io::read_json(path);
  const io::Json identity = identity_of(trial, options);
  try {
    for (const auto& [key, value] : identity.items()) {
      if (json.at(key) != value)
        throw Error("{}: this run has {} = {}, the comparison {}; compare in another directory",
                    path.string(), key, json.at(key).dump(), value.dump());
    }
    Scores scores;
    for (const auto& entry : json.at("scores")) {
      const auto& value = entry.at("value");
      scores.push_back({entry.at("task").get<std::string>(), entry.at("metric").get<std::string>(),
                        value.is_null() ? nan : value.get<double>(),
                        entry.at("better") == "higher" ? Better::higher : Better::lower});
    }
    return scores;
  } catch (const io::Json::exception&) {
    throw Error("{}: not the scores of a run; remove it, and the run is made again", path.string());
  }
}

void write_scores(const Trial& trial, const CompareOptions& options, const Scores& scores,
                  double seconds) {
  io::Json json = identity_of(trial, options);
  json["seconds"] = seconds;
  json["scores"] = io::Json::array();
  for (const Score& score : scores) {
    json["scores"].push_back({{"task", score.task},
                              {"metric", score.metric},
                              {"value", score.value},
                              {"better", score.better == Better::higher ? "higher" : "lower"}});
  }
  io::write_json(file_of(trial), json);
}

void check_scores(const Scores& scores, const Trial& trial) {
  for (const std::string& task : trial.tasks) {
    if (std::none_of(scores.begin(), scores.end(),
                     [&](const Score& score) { return score.task == task; }))
      throw Error("the recipe gave no score for task \"{}\"", task);
  }
  for (const Score& score : scores) {
    if (std::find(trial.tasks.begin(), trial.tasks.end(), score.task) == trial.tasks.end())
      throw Error("the recipe gave a score for task \"{}\", which was not asked for", score.task);
  }
}

void run(const Trial& trial, const CompareOptions& options, const Recipe& recipe) {
  const auto start = std::chrono::steady_clock::now();
  std::filesystem::create_directories(trial.directory);
  const Scores scores = recipe(trial);
  check_scores(scores, trial);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  write_scores(trial, options, scores, taken.count());
}

void run_missing(const std::vector<Trial>& trials, const CompareOptions& options,
                 const Recipe& recipe) {
  std::vector<Trial> missing;
  for (const Trial& trial : trials)
    if (!read_scores(trial, options)) missing.push_back(trial);
  if (options.processes > 1) {
    run_in_processes(
        static_cast<int64_t>(missing.size()), options.processes, options.memory,
        [&](int64_t job) {
          at::set_num_threads(1);
          run(missing[static_cast<size_t>(job)], options, recipe);
        },
        [&](int64_t job) { return name_of(missing[static_cast<size_t>(job)]); });
    return;
  }
  for (const Trial& trial : missing) {
    try {
      run(trial, options, recipe);
    } catch (const std::exception& error) {
      throw Error("{}: {}", name_of(trial), error.what());
    }
  }
}

// The metrics of a task, in the order of its first run.
std::vector<Score> metrics_of(const std::string& task, const Scores& scores) {
  std::vector<Score> found;
  for (const Score& score : scores)
    if (score.task == task) found.push_back(score);
  return found;
}

double value_of(const Scores& scores, const Score& wanted, const Trial& trial) {
  for (const Score& score : scores)
    if (score.task == wanted.task && score.metric == wanted.metric) return score.value;
  throw Error("{} has no {} of task \"{}\", which other runs have", name_of(trial), wanted.metric,
              wanted.task);
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
        by_seed.push_back(value_of(scores[i], metric, trials[i]));
    }
    return by_seed;
  };
  for (const std::string& method : options.methods) {
    for (size_t task = 0; task < options.tasks.size(); ++task) {
      const auto metrics = metrics_of(options.tasks[task], scores[task]);
      const auto judged = std::find_if(metrics.begin(), metrics.end(), [](const Score& score) {
        return score.metric != loss_name;
      });
      for (auto metric = metrics.begin(); metric != metrics.end(); ++metric) {
        findings.push_back({method,
                            metric->task,
                            metric->metric,
                            metric->better,
                            metric == (judged == metrics.end() ? metrics.begin() : judged),
                            values(method, *metric),
                            values(single_task, *metric),
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
  if (!finite) return result;
  const auto gain_of = [&](std::span<const size_t> places) {
    std::vector<TaskGain> gains;
    for (const auto* finding : judged) {
      TaskGain gain{finding->task, 0, 0, finding->better};
      for (const size_t place : places) {
        gain.joint += finding->joint[place] / static_cast<double>(places.size());
        gain.single += finding->single[place] / static_cast<double>(places.size());
      }
      if (gain.single == 0) return nan;
      gains.push_back(std::move(gain));
    }
    return evaluate::delta_m(gains);
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
    scores.push_back({names.tasks[t], std::string(loss_name), record.losses[t], Better::lower});
    for (size_t m = 0; m < names.metrics[t].size() && t < record.metrics.size(); ++m)
      scores.push_back({names.tasks[t], names.metrics[t][m], record.metrics[t][m],
                        names.higher_is_better[t][m] ? Better::higher : Better::lower});
  }
  return scores;
}

Comparison compare(const CompareOptions& options, const Recipe& recipe) {
  check(options);
  std::filesystem::create_directories(options.directory);
  const io::FileLock lock(options.directory / ".compare.lock");
  const std::vector<Trial> trials = trials_of(options);
  run_missing(trials, options, recipe);
  std::vector<Scores> scores;
  for (const Trial& trial : trials) scores.push_back(read_scores(trial, options).value());
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
