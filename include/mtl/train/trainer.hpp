#pragma once

#include <torch/optim/optimizer.h>

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/train/callback.hpp"
#include "mtl/train/history.hpp"
#include "mtl/train/loader_ref.hpp"
#include "mtl/train/watch.hpp"

namespace mtl {

/// What to do with a batch whose loss or gradient is NaN or infinite.
enum class FaultyBatch {
  stop,  // an Error that names the task, the batch and what was at fault
  skip,  // no update from it; the run counts how many there were
};

struct TrainerOptions {
  int64_t epochs = 100;
  double max_grad_norm =
      0.0;  // the gradient is scaled down to this 2-norm over all parameters; 0: as it is
  FaultyBatch faulty_batch = FaultyBatch::stop;
  torch::Device device = torch::kCPU;  // where the model lies; batches are moved there
};

/// What came out of a training run.
struct TrainingRun {
  History history;
  std::string stop_reason;  // "all 100 epochs done", or what a callback gave
  int64_t best_epoch = 0;   // lowest validation total, from 1; 0: no epoch was completed
  int64_t steps = 0;
  int64_t faulty_batches = 0;  // skipped
  double seconds = 0;

  int64_t epochs() const { return static_cast<int64_t>(history.epochs.size()); }
  /// The best epoch by the total, or under a watch: `run.best().valid("weather", "accuracy")`,
  /// `run.best({"weather", "accuracy"}).epoch`. Error: no epoch was completed.
  const EpochRecord& best() const& { return history.best(); }
  const EpochRecord& best(const Watch& watch) const& { return history.best(watch); }
  EpochRecord best() && { return history.best(); }
  EpochRecord best(const Watch& watch) && { return history.best(watch); }
  /// One line for a log.
  std::string brief() const;
  /// Every task with its losses and metrics at the best and the last epoch, for a bug report.
  std::string report() const;
};

/// Stands for the validation loader where there is none.
struct NoValidation {};

/// Owns the loop and nothing else: batch, forward, task losses, combiner, clipping, optimizer step.
///
///     mtl::Trainer trainer(model, adam, combiner, {.epochs = 100, .max_grad_norm = 1.0});
///     auto run = trainer.fit(train, valid, mtl::EarlyStopping{.patience = 10});
///
/// The combiner's learnable parameters join the optimizer as a parameter group of their own when
/// the trainer is made. Model, optimizer and combiner are referred to, not owned. Same seed, same
/// threads: the same bits.
class Trainer {
 public:
  /// `model`: a Model or a holder of one. Error: epochs < 1, a negative or NaN max_grad_norm.
  template <class ModelOrHolder>
  Trainer(ModelOrHolder&& model, torch::optim::Optimizer& optimizer, Combiner& combiner,
          TrainerOptions options = {})
      : Trainer(Tag{}, as_model(model), optimizer, combiner, options) {}

  /// Trains until the epochs are done or a callback stops the run. Error: as FaultyBatch::stop
  /// says; an empty loader.
  template <class Train, class Valid, class... Callbacks>
  TrainingRun fit(Train&& train, Valid&& valid, Callbacks&&... callbacks) {
    std::vector<Callback> list;
    list.reserve(sizeof...(Callbacks));
    (list.emplace_back(std::forward<Callbacks>(callbacks)), ...);
    if constexpr (std::same_as<std::remove_cvref_t<Valid>, NoValidation>) {
      return run(LoaderRef(train), nullptr, std::move(list));
    } else {
      LoaderRef validation(valid);
      return run(LoaderRef(train), &validation, std::move(list));
    }
  }
  template <class Train>
  TrainingRun fit(Train&& train) {
    return fit(train, NoValidation{});
  }

 private:
  struct Tag {};
  class Loop;
  Trainer(Tag, Model& model, torch::optim::Optimizer& optimizer, Combiner& combiner,
          TrainerOptions options);
  TrainingRun run(LoaderRef train, const LoaderRef* valid, std::vector<Callback> callbacks);

  template <class ModelOrHolder>
  static Model& as_model(ModelOrHolder& model) {
    if constexpr (std::derived_from<ModelOrHolder, Model>)
      return model;
    else
      return *model;
  }

  Model& model_;
  torch::optim::Optimizer& optimizer_;
  Combiner& combiner_;
  TrainerOptions options_;
};

}  // namespace mtl
