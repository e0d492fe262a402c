#include "predict_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <optional>
#include <thread>

#include "channel.hpp"
#include "csv_blocks.hpp"
#include "mtl/core/error.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/excerpt.hpp"

namespace {

using Kept = std::vector<std::vector<std::string>>;

struct Rows {
  mtl::NamedTensors inputs = mtl::NamedTensors();
  Kept kept = {};
};
struct Answered {
  mtl::Answers answers;
  Kept kept;
};

/// A thread whose exception is thrown where it is waited for.
class Worker {
 public:
  template <class Work>
  explicit Worker(Work work)
      : thread_([this, work] {
          try {
            work();
          } catch (...) {
            failed_ = std::current_exception();
          }
        }) {}
  ~Worker() {
    if (thread_.joinable()) thread_.join();
  }
  void finish() {
    thread_.join();
    if (failed_) std::rethrow_exception(failed_);
  }

 private:
  std::exception_ptr failed_;
  std::thread thread_;
};

/// Turns rows of text into batches.
class Batches {
 public:
  Batches(const mtl::Predictor& predictor, const PredictOptions& options, std::string file,
          const std::vector<std::string>& header)
      : file_(std::move(file)), keep_(places(options.keep, header)), batch_(options.batch) {
    const auto& inputs = predictor.notes().inputs;
    if (inputs.empty()) add("input", all_but(keep_, header.size()));
    for (const auto& input : inputs) {
      const auto named = input.table ? input.table->columns() : input.columns;
      add(input.name, named.empty() ? all_but(keep_, header.size()) : places(named, header));
      if (input.table) inputs_.back().table = &*input.table;
    }
    start();
  }

  void add(const mtl::io::CsvReader& row) {
    const auto& cells = row.cells();
    for (Input& input : inputs_) {
      if (input.table) {
        std::vector<std::string> texts;
        for (const size_t column : input.columns) texts.emplace_back(cells[column]);
        input.lines += mtl::io::csv_row(texts);
        continue;
      }
      for (const size_t column : input.columns)
        input.values.push_back(number(cells[column], row, column));
    }
    auto& texts = kept_.emplace_back();
    for (const size_t column : keep_) texts.emplace_back(cells[column]);
  }
  bool full() const { return std::ssize(kept_) >= batch_; }
  bool empty() const { return kept_.empty(); }

  Rows take() {
    Rows rows;
    const auto count = static_cast<int64_t>(kept_.size());
    for (const Input& input : inputs_)
      rows.inputs.insert(input.name, input.table ? encoded(input, count)
                                                 : torch::tensor(input.values, torch::kFloat64)
                                                       .view({count, std::ssize(input.columns)}));
    rows.kept = std::move(kept_);
    rows_before_ += count;
    start();
    return rows;
  }

 private:
  struct Input {
    std::string name;
    std::vector<size_t> columns;
    std::vector<double> values = {};
    const mtl::TableEncoder* table = nullptr;  // of the bundle's notes
    std::string lines = {};                    // what it is to encode, as CSV
  };

  torch::Tensor encoded(const Input& input, int64_t count) const {
    const auto place = fmt::format("{}, in the table of its rows {} to {}", file_, rows_before_ + 1,
                                   rows_before_ + count);
    const auto table = mtl::Table::parse(input.lines, place, {.columns = input.table->columns()});
    return input.table->encode(input.table->read(table));
  }

  void start() {
    kept_.clear();
    for (Input& input : inputs_) {
      input.values.clear();
      input.lines.clear();
    }
  }
  void add(const std::string& name, std::vector<size_t> columns) {
    inputs_.push_back({name, std::move(columns)});
  }

  std::vector<size_t> places(const std::vector<std::string>& names,
                             const std::vector<std::string>& header) const {
    std::vector<size_t> found;
    for (const std::string& name : names) {
      const auto at = std::find(header.begin(), header.end(), name);
      if (at == header.end())
        throw mtl::Error("{}: there is no column \"{}\"", file_, mtl::io::excerpt(name));
      found.push_back(static_cast<size_t>(at - header.begin()));
    }
    return found;
  }
  static std::vector<size_t> all_but(const std::vector<size_t>& kept, size_t count) {
    std::vector<size_t> columns;
    for (size_t c = 0; c < count; ++c)
      if (std::find(kept.begin(), kept.end(), c) == kept.end()) columns.push_back(c);
    return columns;
  }

  static double number(std::string_view cell, const mtl::io::CsvReader& row, size_t column) {
    double value = std::numeric_limits<double>::quiet_NaN();
    if (!cell.empty() && cell != "NA" && cell != "NaN" && cell != "nan" &&
        !mtl::io::parse_number(cell, value))
      throw mtl::Error("{}: \"{}\" is not a number", row.where(column), mtl::io::excerpt(cell));
    return value;
  }

  std::string file_;
  std::vector<size_t> keep_;
  std::vector<Input> inputs_;
  int64_t batch_, rows_before_ = 0;
  Kept kept_;
};

/// Reads the whole file into the channel.
void read_into(Channel<Rows>& channel, const mtl::Predictor& predictor,
               const std::filesystem::path& table, const PredictOptions& options) {
  CsvBlocks blocks(table);
  std::optional<Batches> batches;
  std::vector<std::string> header;
  int64_t line = 1;
  for (std::string text; blocks.next(text);) {
    mtl::io::CsvReader row(text, table.string(), options.separator, {0, line});
    while (row.next()) {
      if (row.blank()) continue;
      if (!batches) {
        header.assign(row.cells().begin(), row.cells().end());
        batches.emplace(predictor, options, table.string(), header);
        continue;
      }
      if (row.cells().size() != header.size())
        throw mtl::Error("{}: found {} cells, and there are {} columns", row.where(0),
                         row.cells().size(), header.size());
      batches->add(row);
      if (batches->full() && !channel.put(batches->take())) return;
    }
    line = row.place().line;
  }
  if (!batches) throw mtl::Error("{}: there is no line of column names", table.string());
  if (!batches->empty()) channel.put(batches->take());
}

}  // namespace

PredictTimes predict_table(mtl::Predictor& predictor, const std::filesystem::path& table,
                           const PredictOptions& options,
                           const std::function<void(std::string_view)>& write) {
  if (options.batch < 1) throw mtl::Error("batch: found {}, expected at least 1", options.batch);
  Channel<Rows> read(4);
  Channel<Answered> answered(4);
  const auto close_all = [&] {
    read.close();
    answered.close();
  };
  PredictTimes times;
  const Stopwatch whole;
  Worker reader([&] {
    try {
      read_into(read, predictor, table, options);
    } catch (...) {
      read.close();
      throw;
    }
    read.close();
  });
  Worker writer([&] {
    try {
      const mtl::AnswerText text(options.format, options.probabilities, options.keep);
      bool first = true;
      while (const auto next = answered.take()) {
        if (first) write(text.header(next->answers));
        first = false;
        write(text.lines(next->answers, next->kept));
      }
    } catch (...) {
      close_all();
      throw;
    }
  });
  try {
    while (auto rows = read.take()) {
      const Stopwatch one;
      auto answers = predictor.predict(rows->inputs);
      times.network += one.seconds();
      times.rows += std::ssize(rows->kept);
      if (!answered.put({std::move(answers), std::move(rows->kept)})) break;
    }
  } catch (...) {
    close_all();
    throw;
  }
  answered.close();
  writer.finish();
  reader.finish();
  times.seconds = whole.seconds();
  return times;
}
