#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/formatted.hpp"
#include "mtl/train/callbacks/early_stopping.hpp"
#include "mtl/train/train_state.hpp"
#include "mtl/train/watch.hpp"

namespace mtl {

/// When tasks that are done end the run.
enum class StopWhen {
  all,    ///< when every one of them is
  any,    ///< when the first of them is
  never,  ///< not at all: they are only frozen
};

/// Early stopping by task: a task is done when it has been strictly worse than its own best for
/// `patience` epochs in a row, each counted as EarlyStopping counts.
///
///     TaskStopping{.patience = 5}                            when no task gets better any more
///     TaskStopping{.when = StopWhen::any}                    when the first stops getting better
///     TaskStopping{.tasks = {{"weather", "accuracy"}}}       the others have no say
///     TaskStopping{.freeze = true}                           who is done learns no more meanwhile
///
/// What watches one number for several tasks is EarlyStopping{.watch = mean_of(...)}. A run that it
/// stopped can be resumed with more patience; not where it freezes tasks, which more patience would
/// have frozen later.
struct TaskStopping {
  int64_t patience = 10;
  StopWhen when = StopWhen::all;
  /// What judges the tasks, and which: {{"weather", "accuracy"}, {"rain"}}. Empty: the validation
  /// loss of every task.
  std::vector<Watch> tasks = {};
  /// A task that is done is frozen (TrainState::freeze), and stays done whatever the others do to
  /// it.
  bool freeze = false;

  void check_options() const {
    if (patience < 1)
      throw Error("TaskStopping: found patience {}, expected at least 1 epoch", patience);
    if (freeze && when == StopWhen::any)
      throw Error(
          "TaskStopping: found freeze with StopWhen::any, which ends the run with the "
          "first task that is done; expected StopWhen::all or never");
    if (!freeze && when == StopWhen::never)
      throw Error("TaskStopping: found StopWhen::never without freeze, which does nothing");
  }

  /// Error: as watches_by_task().
  void on_fit_begin(TrainState& state) {
    watches = watches_by_task(tasks, state, "TaskStopping");
    if (!state.resumed) counts.clear();
    counts.resize(watches.size());
    for (EarlyStopping& count : counts) count.patience = patience;
    act(state);  // resumed where it had stopped, with no more patience
  }

  void on_epoch_end(TrainState& state) {
    for (size_t w = 0; w < watches.size(); ++w)
      counts[w].stops_after(watches[w].score(state.history.epochs.back()));
    act(state);
  }

  NamedTensors state_dict() const {
    NamedTensors state;
    for (size_t w = 0; w < counts.size(); ++w)
      insert_under(state, formatted("{}.", w), counts[w].state_dict());
    return state;
  }
  void load_state_dict(const NamedTensors& state) {
    counts.clear();
    for (size_t w = 0; state.contains(formatted("{}.worse_epochs", w)); ++w)
      counts.emplace_back().load_state_dict(under(state, formatted("{}.", w)));
  }
  std::vector<std::string> identity(const TrainState& state) const {
    return {"watches " + text_of(watches_by_task(tasks, state, "TaskStopping")),
            freeze ? formatted("freezes after {} epochs", patience) : "freezes no task"};
  }

  std::vector<EarlyStopping> counts = {};  // by watch
  std::vector<Watch> watches = {};         // of this fit

 private:
  void act(TrainState& state) const {
    std::string done;
    size_t how_many = 0;
    for (size_t w = 0; w < watches.size(); ++w) {
      const std::string& task = watches[w].task();
      if (counts[w].worse_epochs < patience && !(freeze && state.is_frozen(task))) continue;
      if (freeze) state.freeze(task);
      done += (how_many++ == 0 ? "" : ", ") + task;
    }
    const bool stops = when == StopWhen::any ? how_many > 0 : how_many == watches.size();
    if (stops && when != StopWhen::never)
      state.stop(StopReason::early_stopping,
                 formatted("no better for {} epochs: {}", patience, done));
  }
};

}  // namespace mtl
