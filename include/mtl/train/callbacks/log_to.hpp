#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/formatted.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// What LogTo hands over.
struct LogEntry {
  int64_t epoch = 0;     ///< from 1
  int64_t step = 0;      ///< over all epochs, from 1
  bool of_epoch = true;  ///< what an epoch came to; false: what a step saw
  std::vector<std::pair<std::string, double>> values = {};  ///< what is NaN (no label) is left out

  /// "epoch 3, step 120: train/total 0.51, ..."
  std::string text() const {
    std::string text = formatted("epoch {}, step {}:", epoch, step);
    for (size_t i = 0; i < values.size(); ++i)
      text += formatted("{} {} {:.6g}", i == 0 ? "" : ",", values[i].first, values[i].second);
    return text;
  }
};

/// Tells any sink (a logger, a database, a web page) what the run came to: after every epoch
/// "train/total", "train/<task>", "valid/total", "valid/<task>", "valid/<task>/<metric>" and every
/// group's "learning_rate/<group>"; with `every`, after so many steps "step/<task>", the losses,
/// and the rates.
///
///     mtl::LogTo{[&](const mtl::LogEntry& entry) { logger.info(entry.text()); }}
///
/// What the sink throws ends the run.
struct LogTo {
  std::function<void(const LogEntry&)> sink = {};
  int64_t every = 0;  ///< steps; 0: epochs only

  void check_options() const {
    if (!sink) throw Error("LogTo: there is no sink; give a function of a LogEntry");
    if (every < 0) throw Error("LogTo: found every {}, expected steps, or 0 for none", every);
  }

  static constexpr bool only_writes = true;

  /// Error: two values would have one name, as those of a task "total" and of the total.
  void on_fit_begin(TrainState& state) const {
    std::unordered_set<std::string> names{"total"};
    const auto take = [&](const std::string& name) {
      if (!names.insert(name).second)
        throw Error(
            "LogTo: two values would be called \"train/{}\"; give a task or metric another name",
            name);
    };
    const History& history = state.history;
    for (const std::string& task : history.tasks) take(task);
    for (size_t t = 0; t < history.metrics.size(); ++t)
      for (const std::string& metric : history.metrics[t]) take(history.tasks[t] + "/" + metric);
  }

  void on_step_end(TrainState& state) const {
    if (every == 0 || state.step % every != 0) return;
    LogEntry entry{state.epoch, state.step, false};
    for (size_t i = 0; i < state.losses->values.size(); ++i)
      add(entry, "step/" + state.losses->names[i], state.losses->values[i].item<double>());
    add_rates(entry, state);
    sink(entry);
  }

  void on_epoch_end(TrainState& state) const {
    const History& history = state.history;
    const EpochRecord& record = history.epochs.back();
    LogEntry entry{state.epoch, state.step, true};
    for (const auto* split : {&record.train, &record.valid}) {
      if (split->losses.empty()) continue;  // no validation
      const std::string part = split == &record.train ? "train/" : "valid/";
      add(entry, part + "total", split->total);
      for (size_t t = 0; t < split->losses.size(); ++t) {
        add(entry, part + history.tasks[t], split->losses[t]);
        for (size_t m = 0; t < split->metrics.size() && m < split->metrics[t].size(); ++m)
          add(entry, part + history.tasks[t] + "/" + history.metrics[t][m], split->metrics[t][m]);
      }
    }
    add_rates(entry, state);
    sink(entry);
  }

 private:
  static void add(LogEntry& entry, std::string name, double value) {
    if (!std::isnan(value)) entry.values.emplace_back(std::move(name), value);
  }
  static void add_rates(LogEntry& entry, const TrainState& state) {
    const std::vector<double> rates = state.rates.now();
    for (size_t g = 0; g < rates.size(); ++g)
      add(entry, formatted("learning_rate/{}", g), rates[g]);
  }
};

}  // namespace mtl
