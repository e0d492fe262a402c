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

/// What a checkpoint calls the generators' states of several processes.
inline constexpr const char* process_generators = "process_generators";

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
  /// Error: the directory cannot be made, or somebody else has it; there is nothing to watch; the
  /// model has weights that no file can hold.
  Checkpoints(Checkpointing options, const TrainState& state);

  /// What a checkpoint says.
  struct Content {
    NamedTensors tensors = NamedTensors();
    io::Json description;
    std::string where = {};  // for errors
  };

  /// The newest checkpoint; none where there is no file. Error, with the file: it is damaged, which
  /// says whether one before it is whole; it is another file's.
  std::optional<Content> newest();

  /// Goes on from there. `within`: where in the epoch, unless it was written after one.
  /// Error, with the file and before anything is changed: it is of a run with another model,
  /// optimizer, combiner, data, or other callbacks with a memory.
  static void take_over(TrainState& state, const Content& content,
                        std::optional<WithinEpoch>& within);
  void remove_strays() const;  // what a kill left between two renames

  /// Makes what an older run left unusable. Error: "checkpoint.json" is somebody else's.
  void begin_anew(const TrainState& state);

  /// Whether the step just made is one after which to save.
  bool due(const TrainState& state) const;

  /// After an epoch, or within one. Error: the file cannot be written, or is there and not ours.
  /// `generators`: of several processes (gathered_generators).
  void save(const TrainState& state, const EpochPlace* place = nullptr,
            const Tensor& generators = Tensor());

 private:
  using Clock = std::chrono::steady_clock;

  void read_list();
  void write_list() const;
  std::string list_digest() const;
  Content read(const std::string& name) const;
  std::string whole_one_before() const;  // words that go behind an error about the newest

  Checkpointing options_;
  std::unique_ptr<io::FileLock> lock_;
  std::string run_;                 // by which files of one run know each other
  std::vector<std::string> names_;  // that count, the oldest first
  Clock::time_point written_ = Clock::now();
};

}  // namespace mtl
