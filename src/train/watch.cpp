#include "mtl/train/watch.hpp"

#include <cmath>

#include "mtl/core/error.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {
namespace {

// Whether every task of `best` is among those of `score`.
bool covers(const EpochScore& score, const EpochScore& best) {
  for (size_t t = 0; t < best.tasks.size(); ++t)
    if (best.tasks[t] && (t >= score.tasks.size() || !score.tasks[t])) return false;
  return true;
}

}  // namespace

bool is_better(const EpochScore& score, const EpochScore& best, double margin) {
  if (std::isnan(score.value)) return false;
  if (std::isnan(best.value)) return true;
  if (score.tasks != best.tasks) return covers(score, best);
  if (std::isinf(best.value)) margin = 0;
  const double needed = margin * std::abs(best.value);
  return score.better == Better::lower ? score.value < best.value - needed
                                       : score.value > best.value + needed;
}

bool is_as_good(const EpochScore& score, const EpochScore& best) {
  return is_better(score, best) || (score.value == best.value && score.tasks == best.tasks);
}

void put_score(NamedTensors& state, const EpochScore& score) {
  state.insert("best", torch::tensor({score.value}, torch::kDouble));
  Tensor tasks = torch::zeros({static_cast<int64_t>(score.tasks.size())}, torch::kLong);
  for (size_t t = 0; t < score.tasks.size(); ++t)
    tasks.data_ptr<int64_t>()[t] = score.tasks[t] ? 1 : 0;
  state.insert("best_tasks", tasks);
}

EpochScore score_from(const NamedTensors& state) {
  EpochScore score;
  score.value = state["best"].item<double>();
  const Tensor tasks = state["best_tasks"].to(torch::kLong).contiguous();
  for (int64_t t = 0; t < tasks.numel(); ++t)
    score.tasks.push_back(tasks.data_ptr<int64_t>()[t] != 0);
  return score;
}

void Watch::check(const TrainState& state, std::string_view who) const {
  if (task_.empty()) return;
  try {
    train_detail::find_result(state.history, task_, what_);
  } catch (const Error& error) {
    throw Error("{}: cannot watch {}: {}", who, text(), error.what());
  }
  if (!state.has_validation)
    throw Error(
        "{}: cannot watch {}: the run has no validation data; give fit() a validation loader", who,
        text());
}

EpochScore Watch::score(const EpochRecord& record) const {
  if (function_) return {function_(record), better_, {}};
  if (!task_.empty()) {
    const double value = record.valid(task_, what_);
    return {value, train_detail::find_result(*record.valid.names, task_, what_).better, {}};
  }
  EpochScore score{watched_total(record), Better::lower, {}};
  const auto& losses = record.valid.losses.empty() ? record.train.losses : record.valid.losses;
  const ResultNames* names = record.train.names.get();
  for (size_t t = 0; t < losses.size(); ++t)
    score.tasks.push_back(!std::isnan(losses[t]) && !(names && names->is_auxiliary(t)));
  return score;
}

std::string Watch::text() const {
  if (function_) return "a function";
  return task_.empty() ? "total" : task_ + " " + what_;
}

}  // namespace mtl
