#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mtl/io/file_lock.hpp"
#include "mtl/train/checkpoint.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// Where a fit keeps its checkpoints: said in the trainer's options or among the callbacks.
/// Error: in both, or without a directory.
Checkpointing checkpointing_of(Checkpointing option, const std::vector<Callback>& callbacks);

/// The checkpoints of one fit.
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
