#include "mtl/train/watch.hpp"

#include <fmt/format.h>

#include <cmath>

#include "mtl/core/error.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {
namespace {

/// Error: the loss of a task that is only judged.
void check_has_loss(const Model& model, const std::string& task, const std::string& what) {
  if (what == "loss" && !model.tasks().at(task).loss.trains())
    throw Error("task \"{}\" is only judged and has no loss (NoLoss); watch a metric of it", task);
}

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

Watch mean_of(std::vector<WatchedTask> tasks) {
  if (tasks.empty()) throw Error("mean_of: found no task, expected at least one");
  for (const WatchedTask& task : tasks)
    if (!(task.weight > 0 && std::isfinite(task.weight)))
      throw Error("mean_of: found weight {} of task \"{}\", expected a finite number above 0",
                  task.weight, task.task);
  Watch watch;
  watch.mean_ = std::move(tasks);
  return watch;
}

std::vector<Watch> watches_by_task(const std::vector<Watch>& given, const TrainState& state,
                                   std::string_view who) {
  std::vector<Watch> watches = given;
  if (watches.empty())
    for (const Task& task : state.model.tasks())
      if (task.loss.trains()) watches.emplace_back(task.name);
  for (size_t w = 0; w < watches.size(); ++w) {
    watches[w].check(state, who);
    if (watches[w].task().empty())
      throw Error("{}: found a watch on {}, expected one on a task's loss or metric", who,
                  watches[w].text());
    for (size_t before = 0; before < w; ++before)
      if (watches[before].task() == watches[w].task())
        throw Error("{}: found two watches on task \"{}\", expected one a task", who,
                    watches[w].task());
  }
  return watches;
}

std::string text_of(const std::vector<Watch>& watches) {
  std::string text;
  for (const Watch& watch : watches) text += (text.empty() ? "" : ", ") + watch.text();
  return text;
}

void Watch::check(const TrainState& state, std::string_view who) const {
  if (task_.empty() && mean_.empty()) return;
  try {
    if (!task_.empty()) {
      train_detail::find_result(state.history, task_, what_);
      check_has_loss(state.model, task_, what_);
    }
    for (const WatchedTask& part : mean_) {
      const Better better = train_detail::find_result(state.history, part.task, part.what).better;
      check_has_loss(state.model, part.task, part.what);
      if (better != train_detail::find_result(state.history, mean_[0].task, mean_[0].what).better)
        throw Error("\"{}\" of task \"{}\" and \"{}\" of task \"{}\" get better in opposite ways",
                    mean_[0].what, mean_[0].task, part.what, part.task);
    }
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
  if (!mean_.empty()) {
    double sum = 0, weights = 0;
    for (const WatchedTask& part : mean_) {
      sum += part.weight * record.valid(part.task, part.what);
      weights += part.weight;
    }
    const auto& first = mean_.front();
    return {sum / weights,
            train_detail::find_result(*record.valid.names, first.task, first.what).better,
            {}};
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
  if (!mean_.empty()) {
    std::string text = "mean of ";
    for (const WatchedTask& part : mean_)
      text += fmt::format("{}{} {} {}", &part == &mean_.front() ? "" : ", ", part.weight, part.task,
                          part.what);
    return text;
  }
  return task_.empty() ? "total" : task_ + " " + what_;
}

}  // namespace mtl
