#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "epoch_place.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/io/file_lock.hpp"
#include "mtl/io/json.hpp"
#include "mtl/train/checkpoint.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// Where a fit keeps its checkpoints: said in the trainer's options or among the callbacks.
/// Error: in both, or without a directory.
Checkpointing checkpointing_of(Checkpointing option, const std::vector<Callback>& callbacks);

/// Where a run goes on that was cut off within an epoch.
struct WithinEpoch {
  EpochPlace place;
  NamedTensors memory;  // of the run, as run_memory() gives it
};

/// The checkpoints of one fit.
class Checkpoints {
 public:
  /// Error: the directory cannot be made, or somebody else has it; there is nothing to watch.
  Checkpoints(Checkpointing options, const TrainState& state);

  /// Goes on from the newest checkpoint; false where there is none. `within`: where in the epoch,
  /// unless it was written after one.
  /// Error, with the file and before anything is changed: it is damaged, which says whether one
  /// before it is whole; it is another file's or another run's, or of a run with another model,
  /// optimizer, combiner, data, or other callbacks with a memory.
  bool resume(TrainState& state, std::optional<WithinEpoch>& within);

  /// Makes what an older run left unusable. Error: "checkpoint.json" is somebody else's.
  void begin_anew(const TrainState& state);

  /// Whether the step just made is one after which to save.
  bool due(const TrainState& state) const;

  /// After an epoch, or within one. Error: the file cannot be written, or is there and not ours.
  void save(const TrainState& state, const EpochPlace* place = nullptr);

 private:
  using Clock = std::chrono::steady_clock;
  struct Content {
    NamedTensors tensors = NamedTensors();
    io::Json description;
  };

  void read_list();
  void write_list() const;
  std::string list_digest() const;
  Content read(const std::string& name) const;
  std::string whole_one_before() const;  // words that go behind an error about the newest
  void take_over(TrainState& state, Content content, std::optional<WithinEpoch>& within) const;
  void remove_strays() const;  // what a kill left between two renames

  Checkpointing options_;
  std::unique_ptr<io::FileLock> lock_;
  std::string run_;                 // by which files of one run know each other
  std::vector<std::string> names_;  // that count, the oldest first
  Clock::time_point written_ = Clock::now();
};

}  // namespace mtl
