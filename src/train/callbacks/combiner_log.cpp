#include "mtl/train/callbacks/combiner_log.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <utility>

#include "mtl/core/error.hpp"
#include "mtl/core/number_in.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/file.hpp"

namespace mtl {
namespace {

void add_point(io::TensorBoardWriter& writer, const std::string& tag, double value, int64_t step) {
  if (!std::isnan(value)) writer.add_scalar(tag, value, step);
}

std::string csv_header(const std::vector<std::string>& tasks) {
  std::vector<std::string> columns{"step",  "task",      "norm",      "weight",
                                   "share", "conflicts", "stationary"};
  for (const auto& task : tasks) columns.push_back("cosine_" + task);
  return io::csv_row(columns);
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

// The whole lines up to `step`: what an interrupted run wrote after its last checkpoint comes once
// more, and a kill may have torn the last line.
std::string lines_until(const std::string& csv, int64_t step) {
  std::size_t end = 0;
  for (bool header = true;; header = false) {
    const std::size_t next = csv.find('\n', end);
    if (next == std::string::npos) break;
    if (!header && std::atoll(csv.c_str() + end) > step) break;
    end = next + 1;
  }
  return csv.substr(0, end);
}

// Behind "step" and "task".
std::vector<double> numbers_in(const io::CsvReader& row) {
  std::vector<double> numbers;
  for (size_t c = 2; c < row.cells().size(); ++c) {
    const std::string_view cell = row.cells()[c];
    const auto number =
        cell.empty() ? std::numeric_limits<double>::quiet_NaN() : number_in<double>(cell);
    if (!number) throw Error("{}: found \"{}\", expected a number", row.where(c), cell);
    numbers.push_back(*number);
  }
  return numbers;
}

// What the log tells of the steps before those of this process.
std::vector<CombinerLog::Entry> entries_of(const std::string& csv, const std::string& file,
                                           const std::vector<std::string>& tasks) {
  struct Line {
    int64_t step;
    std::string task;
    std::vector<double> numbers;
  };
  std::vector<Line> lines;
  io::CsvReader row(csv, file);
  for (row.next(); row.next();) {
    const auto step = number_in<int64_t>(row.cells()[0]);
    if (!step || row.cells().size() != 7 + tasks.size())
      throw Error("{}: found {} cells, expected a step, a task, 5 numbers and {} cosines",
                  row.where(0), row.cells().size(), tasks.size());
    lines.push_back({*step, std::string(row.cells()[1]), numbers_in(row)});
  }
  std::vector<CombinerLog::Entry> entries;
  for (size_t begin = 0, end = 0; begin < lines.size(); begin = end) {
    while (end < lines.size() && lines[end].step == lines[begin].step) ++end;
    const auto count = static_cast<Eigen::Index>(end - begin);
    CombinerReport report;
    report.norms.resize(count);
    report.weights.resize(count);
    report.shares.resize(count);
    report.cosines.resize(count, count);
    for (Eigen::Index i = 0; i < count; ++i) {
      const Line& line = lines[begin + static_cast<size_t>(i)];
      report.names.push_back(line.task);
      report.norms[i] = line.numbers[0];
      report.weights[i] = line.numbers[1];
      report.shares[i] = line.numbers[2];
      report.conflicts = static_cast<int64_t>(line.numbers[3]);
      report.stationary = line.numbers[4] != 0;
      // Absent tasks have no row here, and an empty cell there.
      Eigen::Index j = 0;
      for (size_t t = 0; t < tasks.size() && j < count; ++t)
        if (lines[begin + static_cast<size_t>(j)].task == tasks[t])
          report.cosines(i, j++) = line.numbers[5 + t];
    }
    entries.push_back({lines[begin].step, std::move(report)});
  }
  return entries;
}

// At once, so that whatever checkpoint a resumed run begins with, the lines before it are there.
void append(const std::filesystem::path& csv, const std::string& lines) {
  std::ofstream file(csv, std::ios::binary | std::ios::app);
  if (!(file << lines).flush())
    throw Error("cannot write \"{}\": {}", csv.string(), std::strerror(errno));
}

}  // namespace

void CombinerLog::on_fit_begin(TrainState& state) {
  entries.clear();
  writer.reset();
  if (!state.writes) return;
  if (!tensorboard.empty()) writer = std::make_shared<io::TensorBoardWriter>(tensorboard);
  if (csv.empty()) return;
  io::make_folder_of(csv);
  lock = std::make_shared<io::FileLock>(csv.string() + ".lock");
  const std::string header = csv_header(state.history.tasks);
  std::string kept = header;
  if (state.resumed && std::filesystem::exists(csv)) {
    kept = lines_until(io::read_file(csv), state.step);
    if (kept.empty()) kept = header;
    if (!kept.starts_with(header))
      throw Error("CombinerLog: \"{}\" is not the log of this run's tasks; give another file",
                  csv.string());
    entries = entries_of(kept, csv.string(), state.history.tasks);
  }
  io::write_file_atomically(csv, kept);
}

void CombinerLog::on_step_begin(TrainState& state) {
  // The step number decides, not a count of our own: a resumed run reports the same steps. In other
  // steps another CombinerLog may want a report.
  if ((state.step - 1) % every == 0) state.combiner.report_every(1);
}

void CombinerLog::on_gradients(TrainState& state) {
  state.combiner.report_every(0);  // the step's report is made
  const auto& report = state.combiner.last_report();
  if ((state.step - 1) % every != 0 || !report || state.losses->size() == 0) return;
  entries.push_back({state.step, *report});
  if (!state.writes) return;
  if (!csv.empty()) append(csv, csv_lines(*report, state.history.tasks, state.step));
  if (!writer) return;
  for (Eigen::Index i = 0; i < report->weights.size(); ++i) {
    const std::string& task = report->names[static_cast<size_t>(i)];
    add_point(*writer, "weight/" + task, report->weights[i], state.step);
    add_point(*writer, "norm/" + task, report->norms[i], state.step);
    add_point(*writer, "share/" + task, report->shares[i], state.step);
    for (Eigen::Index j = 0; j < i; ++j)
      add_point(*writer, "cosine/" + report->names[static_cast<size_t>(j)] + "/" + task,
                report->cosines(i, j), state.step);
  }
  writer->add_scalar("conflicts", static_cast<double>(report->conflicts), state.step);
  writer->flush();
}

void CombinerLog::on_fit_end(TrainState& state) {
  state.combiner.report_every(0);
  lock.reset();
  writer.reset();
}

}  // namespace mtl
