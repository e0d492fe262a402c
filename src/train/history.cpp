#include "mtl/train/history.hpp"

#include <algorithm>

#include "mtl/core/error.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/task/registry.hpp"
#include "mtl/train/watch.hpp"

namespace mtl {
namespace {

std::string quoted(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "\"" : ", \"") + name + "\"";
  return text;
}

/// In a table of so many groups' learning rates.
std::string csv_line_of(const EpochRecord& record, size_t groups) {
  std::vector<std::string> row = {std::to_string(record.epoch),
                                  io::csv_number(record.learning_rate)};
  for (size_t g = 1; g < groups; ++g)
    row.push_back(g < record.group_rates.size() ? io::csv_number(record.group_rates[g]) : "");
  row.push_back(io::csv_number(record.train.total));
  for (double loss : record.train.losses) row.push_back(io::csv_number(loss));
  if (!record.valid.losses.empty()) {
    row.push_back(io::csv_number(record.valid.total));
    for (double loss : record.valid.losses) row.push_back(io::csv_number(loss));
    for (const auto& values : record.valid.metrics)
      for (double value : values) row.push_back(io::csv_number(value));
  }
  return io::csv_row(row);
}

}  // namespace

ResultNames result_names(const TaskRegistry& tasks) {
  ResultNames names;
  for (const Task& task : tasks) {
    names.tasks.push_back(task.name);
    names.auxiliary.push_back(task.auxiliary);
    names.metrics.emplace_back();
    names.higher_is_better.emplace_back();
    for (const Metric& metric : task.metrics) {
      names.metrics.back().push_back(metric.name);
      names.higher_is_better.back().push_back(metric.higher_is_better);
    }
  }
  return names;
}

namespace train_detail {

void no_such_result(size_t index, size_t results) {
  throw Error(
      "results: found index {}, but there are {}; a run without validation data has no validation "
      "losses and no metrics, and the training part has no metrics",
      index, results);
}

ResultPlace find_result(const ResultNames& names, std::string_view task, std::string_view what) {
  const auto t = std::find(names.tasks.begin(), names.tasks.end(), task) - names.tasks.begin();
  if (t == static_cast<std::ptrdiff_t>(names.tasks.size()))
    throw Error("results: found task \"{}\", there are {}", task, quoted(names.tasks));
  const auto position = static_cast<size_t>(t);
  if (what == "loss") return {position, -1, Better::lower};
  const auto& metrics = names.metrics[position];
  const auto m = std::find(metrics.begin(), metrics.end(), what) - metrics.begin();
  if (m == static_cast<std::ptrdiff_t>(metrics.size())) {
    std::vector<std::string> known = metrics;
    known.insert(known.begin(), "loss");
    throw Error("results: found \"{}\" of task \"{}\", it has {}", what, task, quoted(known));
  }
  const bool higher = names.higher_is_better[position][static_cast<size_t>(m)];
  return {position, m, higher ? Better::higher : Better::lower};
}

}  // namespace train_detail

double SplitRecord::operator()(std::string_view task, std::string_view what) const {
  if (names == nullptr)
    throw Error(
        "results: found \"{}\" of task \"{}\" asked of a record without names; "
        "History::add() gives them",
        what, task);
  const auto place = train_detail::find_result(*names, task, what);
  if (losses.empty())
    throw Error(
        "results: found \"{}\" of task \"{}\" asked of the validation part, but the run has no "
        "validation data; give fit() a validation loader",
        what, task);
  if (place.metric < 0) return losses[place.task];
  if (metrics.empty())
    throw Error(
        "results: found metric \"{}\" of task \"{}\" asked of the training part; metrics are "
        "computed on the validation part, the training part has \"loss\"",
        what, task);
  return metrics[place.task][static_cast<size_t>(place.metric)];
}

void History::add(EpochRecord record) {
  auto names = epochs.empty() ? std::make_shared<const ResultNames>(*this) : epochs[0].train.names;
  record.train.names = names;
  record.valid.names = std::move(names);
  epochs.push_back(std::move(record));
}

int64_t History::best_epoch() const { return best_epoch(Watch()); }

int64_t History::best_epoch(const Watch& watch) const {
  int64_t best = epochs.empty() ? 0 : epochs.front().epoch;
  EpochScore best_score;
  for (const EpochRecord& record : epochs) {
    EpochScore score = watch.score(record);
    if (!is_better(score, best_score)) continue;
    best = record.epoch;
    best_score = std::move(score);
  }
  return best;
}

const EpochRecord& History::at(int64_t epoch) const {
  if (epoch < 1 || epoch > static_cast<int64_t>(epochs.size()))
    throw Error("history: found epoch {} asked for, the run completed {}", epoch, epochs.size());
  return epochs[static_cast<size_t>(epoch - 1)];
}

std::string History::csv_header(bool validation) const {
  std::vector<std::string> header = {"epoch", "learning_rate"};
  const size_t all = groups();
  for (size_t g = 1; g < all; ++g) header.push_back("learning_rate_" + std::to_string(g));
  header.emplace_back("train_total");
  for (const auto& task : tasks) header.push_back("train_" + task);
  if (validation) {
    header.emplace_back("valid_total");
    for (const auto& task : tasks) header.push_back("valid_" + task);
    for (size_t t = 0; t < tasks.size(); ++t)
      for (const auto& metric : metrics[t]) header.push_back("valid_" + tasks[t] + "_" + metric);
  }
  return io::csv_row(header);
}

size_t History::groups() const {
  size_t most = 1;
  for (const EpochRecord& record : epochs) most = std::max(most, record.group_rates.size());
  return most;
}

std::string History::csv_line(const EpochRecord& record) const {
  return csv_line_of(record, groups());
}

std::string History::csv() const {
  std::string text = csv_header(has_validation());
  const size_t all = groups();
  for (const EpochRecord& record : epochs) text += csv_line_of(record, all);
  return text;
}

}  // namespace mtl
