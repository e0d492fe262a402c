#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/evaluate/compare.hpp"

// Runs of a recipe that are kept: each leaves its scores in a folder of its own, and what is there
// is not run again.

namespace mtl::evaluate {

inline constexpr std::string_view loss_name = "loss";

/// How trials are run: the fields of CompareOptions of these names.
struct Running {
  std::filesystem::path directory;
  std::string identity;
  int64_t processes = 1, memory = 0;
};

/// Error: no directory, no process, memory below 0.
void check_running(const Running& running);

/// A method's text, or a task's name, with nothing in it that a file name should not hold.
std::string folder_name(std::string_view text);

/// The folders of the names. Error: none, one without a name, two of one folder; `need` is what the
/// text begins with: "a comparison needs tasks".
std::set<std::string> distinct_folders(const std::vector<std::string>& names,
                                       std::string_view need);

/// The scores of the trials, in their order: those that are missing are run first. One process at a
/// time works in the directory. Error: as compare().
std::vector<std::vector<Score>> scores_of_trials(const std::vector<Trial>& trials,
                                                 const Running& running, const Recipe& recipe);

/// Which of a task's scores counts: its first metric, its loss where it has none; null: the task
/// has no score.
const Score* judged_score(const std::vector<Score>& scores, std::string_view task);

/// Error: the trial has no such score, or one that counts the other way.
double score_of(const std::vector<Score>& scores, const Score& wanted, const Trial& trial);

}  // namespace mtl::evaluate
