#include "mtl/evaluate/tuning/tuner.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "mtl/core/error.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/excerpt.hpp"
#include "mtl/io/file.hpp"

namespace mtl::evaluate {
namespace {

// Columns of the log before those of the dimensions.
const std::vector<std::string> first_columns = {"trial", "parent", "state", "step", "score"};
enum Column : size_t { trial_column, parent_column, state_column, step_column, score_column };

std::vector<std::string> header_of(const SearchSpace& space) {
  std::vector<std::string> header = first_columns;
  for (const Dimension& dimension : space.dimensions()) header.push_back(dimension.name);
  return header;
}

std::optional<TrialState> state_of(std::string_view name) {
  for (const auto state :
       {TrialState::running, TrialState::finished, TrialState::stopped, TrialState::failed})
    if (name_of(state) == name) return state;
  return {};
}

// One row of the log as a trial with that row's report or end.
TuningTrial row_of(const io::CsvReader& row, const SearchSpace& space) {
  const auto& cells = row.cells();
  if (cells.size() != first_columns.size() + space.size())
    throw Error("{}: {} cells, expected {}. The log is damaged; repair or remove the line",
                row.where(0), cells.size(), first_columns.size() + space.size());
  const auto fail = [&](size_t column, std::string_view expected) {
    throw Error("{}: found \"{}\", expected {}. The log is damaged; repair or remove the line",
                row.where(column), cells[column], expected);
  };
  TuningTrial trial;
  if (!io::parse_number(cells[trial_column], trial.trial) || trial.trial < 0)
    fail(trial_column, "the number of a trial");
  if (!cells[parent_column].empty()) {
    int64_t parent = 0;
    if (!io::parse_number(cells[parent_column], parent) || parent < 0)
      fail(parent_column, "the number of a trial, or nothing");
    trial.parent = parent;
  }
  const auto state = state_of(cells[state_column]);
  if (!state) fail(state_column, "running, finished, stopped or failed");
  trial.state = *state;
  int64_t step = 0;
  if (trial.state == TrialState::running && !io::parse_number(cells[step_column], step))
    fail(step_column, "a step");
  const bool number = io::parse_number(cells[score_column], trial.score);
  const bool may_lack = trial.state == TrialState::running || trial.state == TrialState::failed;
  if (!number && !(may_lack && cells[score_column].empty())) fail(score_column, "a score");
  if (trial.state == TrialState::running) trial.reports.push_back({step, trial.score});
  for (size_t d = 0; d < space.size(); ++d) {
    const size_t column = first_columns.size() + d;
    const auto value = space.value_of(d, cells[column]);
    if (!value)
      fail(column, fmt::format("a value of \"{}\" in the search space of this search",
                               space.dimensions()[d].name));
    trial.values.push_back(*value);
  }
  return trial;
}

auto place_of(std::vector<TuningTrial>& trials, int64_t number) {
  return std::lower_bound(trials.begin(), trials.end(), number,
                          [](const TuningTrial& trial, int64_t n) { return trial.trial < n; });
}

}  // namespace

void Tuner::check_options() const {
  if (options_.trials < 1) throw Error("Tuner: trials = {}, expected at least 1", options_.trials);
}

void Tuner::open_log() {
  if (options_.log.empty()) return;
  io::make_folder_of(options_.log);
  lock_ = std::make_unique<io::FileLock>(options_.log.string() + ".lock");
  if (std::filesystem::exists(options_.log))
    read_log(io::read_file(options_.log), options_.log.string());
  if (text_.empty()) text_ = io::csv_row(header_of(space_));
}

void Tuner::read_log(const std::string& text, const std::string& file) {
  io::CsvReader row(text, file);
  if (!row.next()) return;  // an empty file
  const std::vector<std::string> header = header_of(space_);
  if (!std::equal(header.begin(), header.end(), row.cells().begin(), row.cells().end()))
    throw Error("{}: found the columns {}, expected {}. It is the log of another search",
                row.where(0), io::excerpt(fmt::format("{}", fmt::join(row.cells(), ",")), 1000),
                fmt::format("{}", fmt::join(header, ",")));
  while (row.next()) {
    if (row.blank()) continue;
    const TuningTrial read = row_of(row, space_);
    auto place = place_of(trials_, read.trial);
    if (place == trials_.end() || place->trial != read.trial) {
      place = trials_.insert(place, read);
    } else if (place->state != TrialState::running) {
      throw Error("{}: trial {} has ended before. The log is damaged; repair or remove the line",
                  row.where(trial_column), read.trial);
    } else if (read.state == TrialState::running) {
      // A trial that was killed is asked for again, and begins anew.
      if (place->values != read.values || place->reports.back().step >= read.reports[0].step)
        place->reports.clear();
      place->values = read.values;
      place->parent = read.parent;
      place->reports.push_back(read.reports[0]);
    } else {
      auto reports = std::move(place->reports);
      *place = read;
      place->reports = std::move(reports);
    }
  }
  std::erase_if(trials_, [](const auto& trial) { return trial.state == TrialState::running; });
  text_ = text;
  if (text_.back() != '\n') text_ += '\n';
}

void Tuner::append(const TuningTrial& trial, TrialState state, std::string step, double score) {
  if (options_.log.empty()) return;
  std::vector<std::string> cells = {std::to_string(trial.trial),
                                    trial.parent ? std::to_string(*trial.parent) : "",
                                    std::string(name_of(state)), std::move(step),
                                    std::isfinite(score) ? io::csv_number(score) : ""};
  for (size_t d = 0; d < space_.size(); ++d) cells.push_back(space_.text_of(d, trial.values[d]));
  const std::string longer = text_ + io::csv_row(cells);
  io::write_file_atomically(options_.log, longer);
  text_ = longer;
}

int64_t Tuner::next() const {
  size_t next = 0;
  while (next < trials_.size() && trials_[next].trial == static_cast<int64_t>(next)) ++next;
  return static_cast<int64_t>(next);
}

std::optional<Candidate> Tuner::ask() {
  const int64_t next = this->next();
  if (next >= options_.trials) return {};
  const auto proposal =
      next < std::ssize(options_.first)
          ? std::optional(Proposal{.values = options_.first[static_cast<size_t>(next)]})
          : method_(state());
  if (!proposal) return {};
  if (proposal->values.size() != space_.size())
    throw Error("trial {}: found {} values for {} dimensions, expected one each", next,
                proposal->values.size(), space_.size());
  for (size_t d = 0; d < space_.size(); ++d) {
    const Dimension& dimension = space_.dimensions()[d];
    const double value = proposal->values[d];
    if (SearchSpace::allowed(dimension, value) != value)
      throw Error("trial {}: found {} for \"{}\", which has no such value", next, value,
                  dimension.name);
  }
  trials_.insert(place_of(trials_, next), {next, proposal->values, proposal->parent});
  return space_.candidate(next, proposal->values, proposal->parent);
}

TuningTrial& Tuner::running(const Candidate& candidate) {
  const auto place = place_of(trials_, candidate.trial);
  if (place == trials_.end() || place->trial != candidate.trial)
    throw Error("trial {} was not asked for", candidate.trial);
  if (place->state != TrialState::running)
    throw Error("trial {} was told before: it {} with {}", candidate.trial, name_of(place->state),
                place->score);
  return *place;
}

void Tuner::tell(const Candidate& candidate, double score) {
  TuningTrial& trial = running(candidate);
  const bool given_up =
      std::find(given_up_.begin(), given_up_.end(), trial.trial) != given_up_.end();
  const TrialState state = !std::isfinite(score) ? TrialState::failed
                           : given_up            ? TrialState::stopped
                                                 : TrialState::finished;
  append(trial, state, "", score);
  trial.state = state;
  trial.score = std::isfinite(score) ? score : std::numeric_limits<double>::quiet_NaN();
  std::erase(given_up_, trial.trial);
}

bool Tuner::should_stop(const Candidate& candidate, int64_t step, double score) {
  TuningTrial& trial = running(candidate);
  if (!trial.reports.empty() && step <= trial.reports.back().step)
    throw Error("trial {}: a report of step {} after one of step {}, expected rising steps",
                trial.trial, step, trial.reports.back().step);
  append(trial, TrialState::running, std::to_string(step), score);
  trial.reports.push_back({step, score});
  std::vector<TuningTrial> others;
  for (const TuningTrial& other : trials_)
    if (other.trial != trial.trial) others.push_back(other);
  const bool stop =
      !std::isfinite(score) || (options_.stop && options_.stop(trial, others, options_.better));
  if (stop) given_up_.push_back(trial.trial);
  return stop;
}

std::optional<Tuner::Best> Tuner::best() const {
  const TuningTrial* best = nullptr;
  const auto cost = [&](const TuningTrial& trial) {
    return evaluate_detail::cost(trial.score, options_.better);
  };
  for (const TuningTrial& trial : trials_)
    if (trial.state == TrialState::finished && (best == nullptr || cost(trial) < cost(*best)))
      best = &trial;
  if (best == nullptr) return {};
  return Best{space_.candidate(best->trial, best->values, best->parent), best->score};
}

}  // namespace mtl::evaluate
