#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "mtl/core/error.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/train/callbacks/combiner_log.hpp"
#include "mtl/train/callbacks/csv_log.hpp"
#include "mtl/train/callbacks/tensor_board.hpp"

namespace mtl {
namespace {

void add(io::TensorBoardWriter& writer, const std::string& tag, double value, int64_t step) {
  if (!std::isnan(value)) writer.add_scalar(tag, value, step);
}

std::string csv_header(const std::vector<std::string>& tasks) {
  std::vector<std::string> columns{"step",  "task",      "norm",      "weight",
                                   "share", "conflicts", "stationary"};
  for (const auto& task : tasks) columns.push_back("cosine_" + task);
  return io::csv_row(columns);
}

void make_folder_of(const std::filesystem::path& file) {
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
}

// A task without labels in this step has no line and an empty cosine.
std::string csv_lines(const CombinerReport& report, const std::vector<std::string>& tasks,
                      int64_t step) {
  std::string lines;
  for (Eigen::Index i = 0; i < report.weights.size(); ++i) {
    std::vector<std::string> cells{std::to_string(step),
                                   report.names[static_cast<size_t>(i)],
                                   io::csv_number(report.norms[i]),
                                   io::csv_number(report.weights[i]),
                                   io::csv_number(report.shares[i]),
                                   std::to_string(report.conflicts),
                                   report.stationary ? "1" : "0"};
    for (const auto& task : tasks) {
      const auto found = std::find(report.names.begin(), report.names.end(), task);
      cells.push_back(found == report.names.end()
                          ? ""
                          : io::csv_number(report.cosines(i, found - report.names.begin())));
    }
    lines += io::csv_row(cells);
  }
  return lines;
}

// The lines up to `step`: what an interrupted run wrote after its last checkpoint comes once more.
std::string lines_until(const std::string& csv, int64_t step) {
  std::size_t end = csv.find('\n') + 1;  // the header; 0 where there is none
  while (end != 0 && end < csv.size() && std::atoll(csv.c_str() + end) <= step)
    end = csv.find('\n', end) + 1;
  return csv.substr(0, end == 0 ? csv.size() : end);
}

}  // namespace

void CsvLog::on_epoch_end(TrainState& state) {
  make_folder_of(file);
  io::write_file_atomically(file, state.history.csv());
}

void TensorBoard::on_epoch_end(TrainState& state) {
  if (!writer) writer = std::make_shared<io::TensorBoardWriter>(directory);
  const History& history = state.history;
  const EpochRecord& record = history.epochs.back();
  add(*writer, "learning_rate", record.learning_rate, record.epoch);
  for (const auto* split : {&record.train, &record.valid}) {
    if (split->losses.empty()) continue;  // no validation
    const std::string name = split == &record.train ? "train" : "valid";
    add(*writer, "total/" + name, split->total, record.epoch);
    for (size_t t = 0; t < split->losses.size(); ++t) {
      add(*writer, history.tasks[t] + "/loss/" + name, split->losses[t], record.epoch);
      for (size_t m = 0; t < split->metrics.size() && m < split->metrics[t].size(); ++m)
        add(*writer, history.tasks[t] + "/" + history.metrics[t][m] + "/" + name,
            split->metrics[t][m], record.epoch);
    }
  }
  writer->flush();
}

void CombinerLog::on_fit_begin(TrainState& state) {
  if (every < 1) throw Error("CombinerLog: found every {}, expected at least 1", every);
  if (!tensorboard.empty()) writer = std::make_shared<io::TensorBoardWriter>(tensorboard);
  if (csv.empty()) return;
  make_folder_of(csv);
  const bool resumed = state.step > 0 && std::filesystem::exists(csv);
  io::write_file_atomically(
      csv, resumed ? lines_until(io::read_file(csv), state.step) : csv_header(state.history.tasks));
}

void CombinerLog::on_step_begin(TrainState& state) {
  // The step number decides, not a count of our own: a resumed run reports the same steps.
  state.combiner.report_every((state.step - 1) % every == 0 ? 1 : 0);
}

void CombinerLog::on_gradients(TrainState& state) {
  const auto& report = state.combiner.last_report();
  if ((state.step - 1) % every != 0 || !report || state.losses->size() == 0) return;
  entries.push_back({state.step, *report});
  if (!csv.empty()) unwritten += csv_lines(*report, state.history.tasks, state.step);
  if (!writer) return;
  for (Eigen::Index i = 0; i < report->weights.size(); ++i) {
    const std::string& task = report->names[static_cast<size_t>(i)];
    add(*writer, "weight/" + task, report->weights[i], state.step);
    add(*writer, "norm/" + task, report->norms[i], state.step);
    add(*writer, "share/" + task, report->shares[i], state.step);
    for (Eigen::Index j = 0; j < i; ++j)
      add(*writer, "cosine/" + report->names[static_cast<size_t>(j)] + "/" + task,
          report->cosines(i, j), state.step);
  }
  writer->add_scalar("conflicts", static_cast<double>(report->conflicts), state.step);
}

void CombinerLog::on_epoch_end(TrainState& /*state*/) {
  if (writer) writer->flush();
  if (csv.empty()) return;
  std::ofstream file(csv, std::ios::binary | std::ios::app);
  if (!(file << unwritten).flush())
    throw Error("cannot write \"{}\": is the disk full?", csv.string());
  unwritten.clear();
}

}  // namespace mtl
