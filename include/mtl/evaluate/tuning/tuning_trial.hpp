#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "mtl/evaluate/tuning/search_space.hpp"
#include "mtl/task/metric.hpp"

namespace mtl::evaluate {

enum class TrialState {
  running,
  finished,
  stopped,  // early, as a poor one
  failed,   // its score is not a number
};

inline std::string_view name_of(TrialState state) {
  switch (state) {
    case TrialState::running:
      return "running";
    case TrialState::finished:
      return "finished";
    case TrialState::stopped:
      return "stopped";
    case TrialState::failed:
      break;
  }
  return "failed";
}

/// What is known of one trial of a search.
struct TuningTrial {
  /// What it had reached after a step (an epoch, say).
  struct Report {
    int64_t step = 0;
    double score = 0;
  };
  int64_t trial = 0;
  std::vector<double> values;  ///< by dimension; of choices the place
  std::optional<int64_t> parent = {};
  TrialState state = TrialState::running;
  double score = std::numeric_limits<double>::quiet_NaN();  ///< once it has ended
  std::vector<Report> reports = {};                         ///< by rising step
};

/// What a search knows when it is asked for the next trial.
struct SearchState {
  const SearchSpace& space;
  std::span<const TuningTrial> trials;  ///< by number; those that run included
  int64_t next = 0;                     ///< the number of the trial that is asked for
  Better better = Better::lower;
  uint64_t seed = 0;
  int64_t given = 0;  ///< so many trials were given before the method was asked (Options::first)
};

struct Proposal {
  std::vector<double> values;
  std::optional<int64_t> parent = {};
};

/// How the next trial is chosen: a function of what is known and of nothing else, so that the same
/// log gives the same next trial. None: there is nothing left to try.
using SearchMethod = std::function<std::optional<Proposal>(const SearchState&)>;

/// Whether to give a trial up after its last report, which stands in `trial.reports` and not among
/// `others`: the search's other trials, whatever became of them.
using StopRule = std::function<bool(const TuningTrial& trial, std::span<const TuningTrial> others,
                                    Better better)>;

}  // namespace mtl::evaluate

namespace mtl::evaluate_detail {

/// A score so turned that lower is better, and one that is not a number is the worst.
inline double cost(double score, Better better) {
  if (!std::isfinite(score)) return std::numeric_limits<double>::infinity();
  return better == Better::lower ? score : -score;
}

}  // namespace mtl::evaluate_detail
