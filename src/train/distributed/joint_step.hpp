#pragma once

#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "../step_losses.hpp"
#include "mtl/train/distributed/processes.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// What the processes of a run agree on while it goes; alone a process agrees with itself, at no
/// cost.
class JointStep {
 public:
  /// `processes`: null, or one: there are no others.
  explicit JointStep(Processes* processes)
      : processes_(processes != nullptr && processes->several() ? processes : nullptr) {}

  bool several() const { return processes_ != nullptr; }
  Processes* processes() const { return processes_; }

  /// step_losses of the whole batch, of which `batch` is this process's share. What is wrong with
  /// the share makes every loss NaN, for all processes; agreed_fault() says what it was.
  StepForward forward(Model& model, const StepBatch& batch, const std::vector<Tensor>& held,
                      const std::vector<bool>& left_out, Arithmetic arithmetic, double scale);

  /// Why one of `values`, read from the losses of the whole batch, is NaN or infinite; empty: none
  /// is.
  std::string explain(const Model& model, const StepBatch& batch, const StepForward& seen,
                      const std::vector<double>& values);

  /// What is wrong with a step that all processes give up: theirs that found the cause.
  /// Error: one of them cannot go on.
  std::string agreed_fault(const std::string& found);

  /// After callbacks that may have changed the gradients of `held`, each by what it sees of its
  /// share: where they differ between the processes they become their mean.
  void share_changes(const std::vector<Tensor>& held, const TrainState& state) const;

  /// Ends the run everywhere when it ends anywhere. Error: other tasks are frozen elsewhere.
  void agree(TrainState& state) const;

  /// Running statistics become their mean: each process saw its shares of the batches alone.
  /// Error: the weights have come apart.
  void meet(Model& model) const;
  /// The others learn at once that this process does not go on.
  void abandon() const {
    if (several()) processes_->abandon();
  }

 private:
  const LossJoiner& joiner(Model& model, const std::vector<Tensor>& held);

  Processes* processes_;
  std::vector<Tensor> held_;          // by which the joiner was made
  std::optional<LossJoiner> joiner_;  // copies and hashes what a step may reach, once
  std::string own_fault_;             // of this share in the step under way
  bool is_final_ = false;             // it is no fault of the batch
};

}  // namespace mtl
