#pragma once

#include <cstdint>
#include <filesystem>

#include "mtl/core/error.hpp"

namespace mtl {

/// A full checkpoint after every epoch, from which a run goes on as if it had never stopped:
///
///     mtl::Trainer trainer(model, adam, combiner,
///                          {.epochs = 100, .checkpoint = {.directory = "run", .resume = true}});
///
/// It may also be given to fit() among the callbacks.
///
/// The directory holds "epoch-<n>.safetensors", each with everything (weights, optimizer, combiner,
/// what callbacks remember, torch's CPU generator, history, and what the run is made of), and
/// "checkpoint.json", which names those that count and is renamed last: a kill at any moment leaves
/// the checkpoint before. Digests tell damage. No file is touched that is not this library's. While
/// the fit lasts nobody else can have the directory.
struct Checkpointing {
  std::filesystem::path directory = {};  ///< empty: no checkpoints
  /// Go on from the checkpoint that is there; where there is none, begin anew. Without it a run
  /// begins anew, and removes the checkpoint that is there before its first step.
  bool resume = false;
  int64_t keep = 1;  ///< checkpoints of so many last epochs stay; to go back, delete the newer ones

  void check_options() const {
    if (directory.empty() && resume)
      throw Error("Checkpointing: found resume without a directory, expected one to resume from");
    if (keep < 1) throw Error("Checkpointing: found keep {}, expected at least 1", keep);
  }
};

}  // namespace mtl
