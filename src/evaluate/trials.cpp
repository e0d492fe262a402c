#include "trials.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "mtl/core/error.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/file_lock.hpp"
#include "worker_processes.hpp"

namespace mtl::evaluate {
namespace {

using Scores = std::vector<Score>;

std::string name_of(const Trial& trial) {
  return trial.method == single_task
             ? fmt::format("single-task \"{}\", seed {}", trial.tasks.front(), trial.seed)
             : fmt::format("method \"{}\", seed {}", trial.method, trial.seed);
}

io::Json identity_of(const Trial& trial, const Running& running) {
  return {{"identity", running.identity},
          {"method", trial.method},
          {"tasks", trial.tasks},
          {"seed", trial.seed}};
}

std::filesystem::path file_of(const Trial& trial) { return trial.directory / "scores.json"; }

// Of a run that has ended before; none where it has not.
std::optional<Scores> read_scores(const Trial& trial, const Running& running) {
  const auto path = file_of(trial);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return {};
  const io::Json json = io::read_json(path);
  const io::Json identity = identity_of(trial, running);
  try {
    for (const auto& [key, value] : identity.items()) {
      if (json.at(key) != value)
        throw Error("{}: this run has {} = {}, asked for is {}; take another directory",
                    path.string(), key, json.at(key).dump(), value.dump());
    }
    Scores scores;
    for (const auto& entry : json.at("scores")) {
      const auto& value = entry.at("value");
      scores.push_back(
          {entry.at("task").get<std::string>(), entry.at("metric").get<std::string>(),
           value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>(),
           entry.at("better") == "higher" ? Better::higher : Better::lower,
           entry.value("auxiliary", false)});
    }
    return scores;
  } catch (const io::Json::exception&) {
    throw Error("{}: not the scores of a run; remove it, and the run is made again", path.string());
  }
}

void write_scores(const Trial& trial, const Running& running, const Scores& scores,
                  double seconds) {
  io::Json json = identity_of(trial, running);
  json["seconds"] = seconds;
  json["scores"] = io::Json::array();
  for (const Score& score : scores) {
    json["scores"].push_back({{"task", score.task},
                              {"metric", score.metric},
                              {"value", score.value},
                              {"better", score.better == Better::higher ? "higher" : "lower"}});
    if (score.auxiliary) json["scores"].back()["auxiliary"] = true;
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
    if (std::count_if(scores.begin(), scores.end(), [&](const Score& other) {
          return other.task == score.task && other.metric == score.metric;
        }) > 1)
      throw Error("the recipe gave task \"{}\" two scores \"{}\"; give each a name of its own",
                  score.task, score.metric);
  }
}

void run(const Trial& trial, const Running& running, const Recipe& recipe) {
  const auto start = std::chrono::steady_clock::now();
  io::make_folder(trial.directory);
  const Scores scores = recipe(trial);
  check_scores(scores, trial);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  write_scores(trial, running, scores, taken.count());
}

void run_missing(const std::vector<Trial>& trials, const Running& running, const Recipe& recipe) {
  std::vector<Trial> missing;
  for (const Trial& trial : trials)
    if (!read_scores(trial, running)) missing.push_back(trial);
  if (running.processes > 1) {
    run_in_processes(
        static_cast<int64_t>(missing.size()), running.processes, running.memory,
        [&](int64_t job) {
          at::set_num_threads(1);
          run(missing[static_cast<size_t>(job)], running, recipe);
        },
        [&](int64_t job) { return name_of(missing[static_cast<size_t>(job)]); });
    return;
  }
  for (const Trial& trial : missing) {
    try {
      run(trial, running, recipe);
    } catch (const std::exception& error) {
      throw Error("{}: {}", name_of(trial), error.what());
    }
  }
}

}  // namespace

void check_running(const Running& running) {
  if (running.processes < 1) throw Error("processes = {}: at least 1", running.processes);
  if (running.memory < 0) throw Error("memory = {}: bytes, or 0 for no end", running.memory);
  if (running.directory.empty())
    throw Error("several runs need a directory, where the scores of each are kept");
}

std::string folder_name(std::string_view text) {
  std::string name(text);
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (!(std::isalnum(byte) || c == '.' || c == '-' || c == '_' || byte >= 0x80)) c = '_';
  }
  return name == "." || name == ".." ? "_" + name : name;
}

std::set<std::string> distinct_folders(const std::vector<std::string>& names,
                                       std::string_view need) {
  std::set<std::string> folders;
  if (names.empty()) throw Error("{}", need);
  for (const std::string& name : names) {
    if (name.empty()) throw Error("{}, one of these has no name", need);
    if (!folders.insert(folder_name(name)).second)
      throw Error(
          "\"{}\" is there twice, or names a folder that another one has; {} with names of "
          "their own",
          name, need);
  }
  return folders;
}

std::vector<std::vector<Score>> scores_of_trials(const std::vector<Trial>& trials,
                                                 const Running& running, const Recipe& recipe) {
  io::make_folder(running.directory);
  const io::FileLock lock(running.directory / ".compare.lock");
  run_missing(trials, running, recipe);
  std::vector<Scores> scores;
  for (const Trial& trial : trials) scores.push_back(read_scores(trial, running).value());
  return scores;
}

const Score* judged_score(const std::vector<Score>& scores, std::string_view task) {
  const Score* first = nullptr;
  for (const Score& score : scores) {
    if (score.task != task) continue;
    if (score.metric != loss_name) return &score;
    if (first == nullptr) first = &score;
  }
  return first;
}

double score_of(const std::vector<Score>& scores, const Score& wanted, const Trial& trial) {
  for (const Score& score : scores) {
    if (score.task != wanted.task || score.metric != wanted.metric) continue;
    if (score.better != wanted.better)
      throw Error("{}: {} of task \"{}\" is better when {}, in other runs when {}", name_of(trial),
                  wanted.metric, wanted.task, score.better == Better::higher ? "higher" : "lower",
                  wanted.better == Better::higher ? "higher" : "lower");
    return score.value;
  }
  throw Error("{} has no {} of task \"{}\", which other runs have", name_of(trial), wanted.metric,
              wanted.task);
}

}  // namespace mtl::evaluate
