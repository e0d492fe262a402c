#pragma once

#include <torch/optim/optimizer.h>

#include <concepts>
#include <cstdint>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/core/error.hpp"
#include "mtl/sharing/model_ref.hpp"
#include "mtl/train/arithmetic.hpp"
#include "mtl/train/callback.hpp"
#include "mtl/train/checkpoint.hpp"
#include "mtl/train/distributed/processes.hpp"
#include "mtl/train/faulty_batch.hpp"
#include "mtl/train/kept.hpp"
#include "mtl/train/loader_ref.hpp"
#include "mtl/train/loss_scaling.hpp"
#include "mtl/train/training_run.hpp"

namespace mtl {

struct TrainerOptions {
  int64_t epochs = 100;
  double max_grad_norm = 0.0;  ///< the gradient is scaled down to this 2-norm over all parameters
                               ///< of the optimizer; 0: as it is
  double max_task_grad_norm = 0.0;  ///< each task's gradient is scaled down to this 2-norm over the
                                    ///< shared parameters before the combiner sees it, at one
                                    ///< backward pass a task; 0: as it is
  /// So many batches of the loader make one step, for every combiner as if they were one batch; one
  /// after the other is in memory, and one gradient a task (AccumulatedLosses).
  int64_t accumulate = 1;
  Arithmetic arithmetic = Arithmetic::float32;   ///< of the training's forward passes
  std::optional<LossScaling> loss_scaling = {};  ///< none: its defaults in float16, off otherwise
  /// Pictures of the training, [N, C, H, W], and the weights of convolutions lie in memory with
  /// their channels last, on which convolutions of many channels are faster; the weights stay so.
  bool channels_last = false;
  FaultyBatch faulty_batch = FaultyBatch::stop;
  torch::Device device = torch::kCPU;  ///< where the model lies; batches are moved there
  Checkpointing checkpoint = {};       ///< full checkpoints, and resuming
  /// Those that train together: the rows of each batch are shared out among them, and steps,
  /// results and decisions are those of the whole batch. Null: this one alone.
  Processes* processes = nullptr;

  void check_options() const {
    if (epochs < 1) throw Error("Trainer: found epochs {}, expected at least 1", epochs);
    if (!(max_grad_norm >= 0))
      throw Error("Trainer: found max_grad_norm {}, expected 0 (off) or more", max_grad_norm);
    if (!(max_task_grad_norm >= 0))
      throw Error("Trainer: found max_task_grad_norm {}, expected 0 (off) or more",
                  max_task_grad_norm);
    if (loss_scaling) loss_scaling->check_options();
    if (arithmetic == Arithmetic::float16 && !device.is_cuda())
      throw Error(
          "Trainer: found float16 on the CPU, expected a CUDA device; Arithmetic::bfloat16 is for "
          "both");
    if (accumulate < 1)
      throw Error("Trainer: found accumulate {}, expected at least 1 batch a step", accumulate);
    checkpoint.check_options();
  }
};

/// Stands for the validation loader where there is none.
struct NoValidation {};

/// Owns the loop and nothing else: batch, forward, task losses, combiner, clipping, optimizer step.
///
///     mtl::Trainer trainer(model, adam, combiner, {.epochs = 100, .max_grad_norm = 1.0});
///     auto run = trainer.fit(train, valid, mtl::EarlyStopping{.patience = 10});
///
/// The combiner's learnable parameters join the optimizer as a group of their own, without weight
/// decay, when the trainer is made; where they are in the optimizer already they stay as they are,
/// so that several trainers may follow each other on one optimizer. What is trained, zeroed and
/// clipped is what the optimizer holds; the model's other parameters stay as they are.
///
/// A model given by its holder, and whatever is given as a value or by an owning pointer, is kept
/// alive; an optimizer or a combiner given by name is referred to. Same seed, same threads: the
/// same bits, as long as nobody else in the process draws from LibTorch's global generator.
class Trainer {
 public:
  /// Error: options that make no sense; an optimizer that holds none of the model's parameters,
  /// one of them twice, a part of the combiner's, or no parameter of a head that is not frozen; one
  /// that wants a closure (LBFGS).
  Trainer(ModelRef model, Kept<torch::optim::Optimizer> optimizer, Kept<Combiner> combiner,
          TrainerOptions options = {});

  /// Trains until the epochs are done or a callback stops the run. After the training loader come
  /// the validation loader, where there is one, and callbacks, each as itself or several in a
  /// std::vector<Callback>:
  ///
  ///     trainer.fit(train, valid, mtl::EarlyStopping{.patience = 10}, mtl::ProgressBar{});
  ///     trainer.fit(train, callbacks);
  ///
  /// A second fit goes on from the weights, the optimizer's and the combiner's state, and counts
  /// epochs anew: loaders give the orders of epoch 0, 1, ... again.
  /// Error: as FaultyBatch::stop says; a loader that is empty, or gives fewer or more batches than
  /// it says; a target that no batch has; a parameter that is NaN.
  template <class Train, class... Rest>
  TrainingRun fit(Train&& train, Rest&&... rest) {
    return fit_with(train, std::forward<Rest>(rest)...);
  }
  template <class Train, class Valid>
  TrainingRun fit(Train&& train, Valid&& valid, std::vector<Callback> callbacks) {
    const LoaderRef validation(valid);
    return run(LoaderRef(train), &validation, std::move(callbacks));
  }
  template <class Train>
  TrainingRun fit(Train&& train, std::vector<Callback> callbacks) {
    return run(LoaderRef(train), nullptr, std::move(callbacks));
  }

 private:
  class Loop;
  TrainingRun run(LoaderRef train, const LoaderRef* valid, std::vector<Callback> callbacks);

  template <class Train>
  TrainingRun fit_with(Train& train) {
    return run(LoaderRef(train), nullptr, {});
  }
  template <class Train, class Second, class... Callbacks>
  TrainingRun fit_with(Train& train, Second&& second, Callbacks&&... callbacks) {
    std::vector<Callback> list;
    if constexpr (Loader<std::remove_reference_t<Second>>) {
      (append(list, std::forward<Callbacks>(callbacks)), ...);
      const LoaderRef validation(second);
      return run(LoaderRef(train), &validation, std::move(list));
    } else {
      if constexpr (!std::same_as<std::remove_cvref_t<Second>, NoValidation>)
        append(list, std::forward<Second>(second));
      (append(list, std::forward<Callbacks>(callbacks)), ...);
      return run(LoaderRef(train), nullptr, std::move(list));
    }
  }
  template <class C>
  static void append(std::vector<Callback>& list, C&& callback) {
    if constexpr (std::same_as<std::remove_cvref_t<C>, std::vector<Callback>>)
      list.insert(list.end(), callback.begin(), callback.end());
    else
      list.emplace_back(std::forward<C>(callback));
  }

  ModelRef model_;
  Kept<torch::optim::Optimizer> optimizer_;
  Kept<Combiner> combiner_;
  TrainerOptions options_;
};

}  // namespace mtl
