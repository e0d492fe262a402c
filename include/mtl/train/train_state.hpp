#pragma once

#include <torch/optim/optimizer.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/train/frozen_task.hpp"
#include "mtl/train/history.hpp"
#include "mtl/train/learning_rates.hpp"
#include "mtl/train/loss_scaling.hpp"
#include "mtl/train/stop_reason.hpp"

namespace mtl {

class Callback;

/// What a callback sees of the loop, and may change.
struct TrainState {
  Model& model;
  torch::optim::Optimizer& optimizer;
  Combiner& combiner;
  std::vector<Callback>& callbacks;

  int64_t epochs;                      ///< the most there will be
  int64_t batches;                     ///< in an epoch
  int64_t epoch = 0;                   ///< of the one under way, from 1; 0 before the first
  int64_t batch = 0;                   ///< in the epoch, from 1
  int64_t step = 0;                    ///< batches over all epochs, from 1
  History history = {};                ///< the epochs that are complete
  const TaskLosses* losses = nullptr;  ///< of the step, from on_gradients to on_step_end
  std::string train_data = {};         ///< what the training loader says of itself
  std::string valid_data = {};         ///< and the validation loader
  bool has_validation = false;         ///< the run has a validation loader
  bool resumed = false;  ///< it goes on from a checkpoint: what callbacks remember is its own
  bool writes = true;    ///< files and lines for people: of several processes the first alone
  LearningRates rates = LearningRates(optimizer);  ///< who changes rates goes through here

  LossScale loss_scale = {};       ///< 1: losses are not scaled
  int64_t faulty_batches = 0;      ///< skipped so far
  int64_t faulty_rows = 0;         ///< left out of the validation so far
  int64_t unlabelled_batches = 0;  ///< passed over so far: no task had a label
  std::string first_fault = {};    ///< what was wrong with the first that was skipped or left out

  /// The task learns no more, from the next step on and until the fit ends: its loss leaves the
  /// step, and with it its row of the Gramian; what belongs to it alone stays as it is, running
  /// statistics as well. The validation goes on measuring it. Freezing it again changes
  /// nothing. Error: there is no such task.
  void freeze(std::string_view task);
  bool is_frozen(std::string_view task) const;
  std::vector<FrozenTask> frozen = {};  ///< in the order in which they were

  /// Ends the run: at once after this step, or after this epoch. The text is for people.
  void stop(StopReason reason, std::string text) {
    stop_reason = reason;
    stop_text = std::move(text);
  }
  void stop(std::string text) { stop(StopReason::callback, std::move(text)); }
  bool stopped() const { return stop_reason.has_value(); }
  std::optional<StopReason> stop_reason = {};
  std::string stop_text = {};
  /// In on_fit_end: a callback before has put back weights that it chose, which shall stay.
  bool has_chosen_weights = false;
  /// A callback will: no other can, since the last would win.
  bool will_choose_weights = false;
};

}  // namespace mtl
