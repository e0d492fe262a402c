#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>

#include "mtl/core/error.hpp"
#include "mtl/train/watch.hpp"

namespace mtl {

/// A full checkpoint after every epoch, and on request after steps, from which a run goes on as if
/// it had never stopped:
///
///     mtl::Trainer trainer(model, adam, combiner,
///                          {.epochs = 100, .checkpoint = {.directory = "run", .resume = true}});
///
/// It may also be given to fit() among the callbacks.
///
/// The directory holds "epoch-<n>.safetensors" and "step-<n>.safetensors", each with everything
/// (weights, optimizer, combiner, what callbacks remember, frozen tasks, torch's generators,
/// history, within an epoch how many batches were drawn and what came of them, and what the run is
/// made of), and "checkpoint.json", which names those that count and is renamed last: a kill at any
/// moment leaves the checkpoint before. Digests tell damage. No file is touched that is not this
/// library's. While the fit lasts nobody else can have the directory.
struct Checkpointing {
  std::filesystem::path directory = {};  ///< empty: no checkpoints
  /// Go on from the checkpoint that is there; where there is none, begin anew. Without it a run
  /// begins anew, and removes the checkpoint that is there before its first step.
  bool resume = false;
  int64_t keep = 1;  ///< so many last checkpoints stay; to go back, delete the newer ones

  int64_t every_steps = 0;   ///< one after each so many steps as well; 0: only after epochs
  double every_seconds = 0;  ///< one after the step at which the last is so old; 0: never
  bool keep_best = false;    ///< that of the best epoch stays as well
  Watch watch = {};          ///< what makes an epoch the best

  /// Whether there are checkpoints within epochs; then a run that is stopped within one leaves one.
  bool within_epochs() const { return every_steps > 0 || every_seconds > 0; }

  void check_options() const {
    if (directory.empty() && resume)
      throw Error("Checkpointing: found resume without a directory, expected one to resume from");
    if (keep < 1) throw Error("Checkpointing: found keep {}, expected at least 1", keep);
    if (every_steps < 0)
      throw Error("Checkpointing: found every_steps {}, expected a number of steps, or 0 for none",
                  every_steps);
    if (!(every_seconds >= 0 && std::isfinite(every_seconds)))
      throw Error("Checkpointing: found every_seconds {}, expected a finite time, or 0 for none",
                  every_seconds);
  }
};

}  // namespace mtl
