#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "mtl/io/file_lock.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// A full checkpoint after every epoch, from which a run goes on as if it had never stopped:
///
///     mtl::Trainer trainer(model, adam, combiner,
///                          {.epochs = 100, .checkpoint = {.directory = "run", .resume = true}});
///
/// It may also be given to fit() among the callbacks.
struct Checkpointing {
  std::filesystem::path directory = {};  ///< empty: no checkpoints
  /// Go on from the checkpoint that is there; where there is none, begin anew. Without it a run
  /// begins anew, and removes the checkpoint that is there before its first step.
  bool resume = false;
  int64_t keep = 1;  ///< checkpoints of so many last epochs stay; to go back, delete the newer ones

  void check_options() const;
};

/// The checkpoints of one fit.
///
/// The directory holds "epoch-<n>.safetensors", each with everything (weights, optimizer, combiner,
/// what callbacks remember, torch's CPU generator, history, and what the run is made of), and
/// "checkpoint.json", which names those that count and is renamed last: a kill at any moment leaves
/// the checkpoint before. Digests tell damage. No file is touched that is not this library's. While
/// the fit lasts nobody else can have the directory.
class Checkpoints {
 public:
  /// Error: the directory cannot be made, or somebody else has it.
  explicit Checkpoints(Checkpointing options);

  /// Goes on from the newest checkpoint; false where there is none.
  /// Error, with the file and before anything is changed: it is damaged, or of a run with another
  /// model, optimizer, combiner, data, or other callbacks with a memory.
  bool resume(TrainState& state);

  /// Makes what an older run left unusable. Error: "checkpoint.json" is somebody else's.
  void begin_anew(const TrainState& state);

  /// Error: the file cannot be written, or is there and not ours.
  void save(const TrainState& state);

 private:
  void read_list();
  void write_list() const;
  void remove_strays() const;  // what a kill left between two renames

  Checkpointing options_;
  std::unique_ptr<io::FileLock> lock_;
  std::vector<std::string> names_;  // that count, the oldest first
};

}  // namespace mtl
