#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mtl/evaluate/tuning/search_space.hpp"
#include "mtl/evaluate/tuning/tuning_trial.hpp"
#include "mtl/io/file_lock.hpp"
#include "mtl/task/metric.hpp"

namespace mtl::evaluate {

/// Searches for good settings by trying some: ask what to try, tell what came of it.
///
///     Tuner tuner({{.name = "lr", .low = 1e-4, .high = 1, .log = true}}, ExpectedImprovement{},
///                 {.trials = 50, .log = "run/trials.csv"});
///     while (const auto candidate = tuner.ask())
///       tuner.tell(*candidate, train_and_validate(candidate->at("lr")));
///
/// Methods: GridSearch, RandomSearch, SobolSearch, ExpectedImprovement, PopulationSearch, or any
/// function of a SearchState. The log is a table of trials that a person can read, written whole
/// after every word; a search that was stopped goes on from it. What was asked for and never told
/// is asked for again.
class Tuner {
 public:
  struct Options {
    Better better = Better::lower;   ///< which scores are
    int64_t trials = 50;             ///< in all, those in the log included
    uint64_t seed = 0;               ///< of what the method draws
    std::filesystem::path log = {};  ///< "run/trials.csv"; none: nothing is kept
    /// Tried before the method is asked, a value for every dimension each: what is in use, say.
    std::vector<std::vector<double>> first = {};
    StopRule stop = {};  ///< MedianRule{}, SuccessiveHalving{}; none: all run to the end
  };
  struct Best {
    Candidate candidate;
    double score = 0;
  };

  /// Error: options or a method's options that make no sense for this space; a log that is damaged
  /// or of another search space, with its line; a log in use.
  template <class Method>
  Tuner(SearchSpace space, Method method, Options options)
      : space_(std::move(space)), options_(std::move(options)) {
    check_options();
    if constexpr (requires { method.check_options(space_, options_.trials); })
      method.check_options(space_, options_.trials - std::ssize(options_.first));
    method_ = std::move(method);
    open_log();
  }
  template <class Method>
  Tuner(SearchSpace space, Method method) : Tuner(std::move(space), std::move(method), Options()) {}

  /// The next trial: none when `trials` have been asked for, or the method has nothing left.
  /// Several may be asked for before the first is told. Error: values that the space does not have.
  std::optional<Candidate> ask();

  /// How a trial ended. A score that is not finite marks it as failed: the search takes it for as
  /// bad as the worst and goes on. Error: the trial was not asked for, or was told before.
  void tell(const Candidate& candidate, double score);

  /// What a trial that runs has reached after a step, by rising steps; true: give it up, and tell
  /// what it has reached. From then on it counts as stopped: never as the best.
  /// Error: as tell; a step that is not after the last.
  bool should_stop(const Candidate& candidate, int64_t step, double score);

  /// The best of the trials that finished; none where none did. With noise it is a lucky one (see
  /// `expected_best`): train the best few again before you believe a score.
  std::optional<Best> best() const;

  /// What a method sees, for the trial that is next.
  SearchState state() const {
    return {space_, trials_, next(), options_.better, options_.seed, std::ssize(options_.first)};
  }
  /// By number; those that run included.
  const std::vector<TuningTrial>& trials() const { return trials_; }
  const SearchSpace& space() const { return space_; }

 private:
  void check_options() const;
  void open_log();
  void read_log(const std::string& text, const std::string& file);
  void append(const TuningTrial& trial, TrialState state, std::string step, double score);
  TuningTrial& running(const Candidate& candidate);
  int64_t next() const;

  SearchSpace space_;
  Options options_;
  SearchMethod method_;
  std::vector<TuningTrial> trials_;  // by number
  std::vector<int64_t> given_up_;    // of those that run
  std::string text_;                 // of the log
  std::unique_ptr<io::FileLock> lock_;
};

}  // namespace mtl::evaluate
