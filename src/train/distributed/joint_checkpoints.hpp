#pragma once

#include <optional>

#include "../checkpoints.hpp"
#include "joint_step.hpp"

namespace mtl {

/// The checkpoints of one fit of one process or of several, of which the first reads and writes.
class JointCheckpoints {
 public:
  /// Error: as of Checkpoints.
  JointCheckpoints(const Checkpointing& options, const TrainState& state, const JointStep& joint);

  /// All go on from the newest checkpoint; nothing where there is none.
  /// Error: as of Checkpoints::newest() and take_over().
  void resume(TrainState& state, std::optional<WithinEpoch>& within);
  void begin_anew(const TrainState& state);
  bool due(const TrainState& state) const;
  void save(const TrainState& state, const EpochPlace* place = nullptr);

 private:
  const JointStep& joint_;
  bool within_epochs_;
  std::optional<Checkpoints> own_;  // of process 0
};

}  // namespace mtl
