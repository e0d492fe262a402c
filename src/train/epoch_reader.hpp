#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "mtl/core/batch.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/train/distributed/processes.hpp"
#include "mtl/train/loader_ref.hpp"

namespace mtl {

/// What one step sees: a batch, or several that are one to it in parts.
using StepBatch = std::vector<Batch>;

/// Each part without its left out rows (mtl/core/batch.hpp); a part of which none is left is none.
StepBatch without_left_out_rows(StepBatch batch);

/// Reads one epoch of a loader batch by batch, on a device, and sees to it that it is a whole one.
class EpochReader {
 public:
  /// `what`: the loader's name in errors, such as "the training loader"; `parts`: batches that make
  /// one step; `channels_last`: how pictures lie in it; `processes`: among whom the rows of each
  /// batch are shared out, null: none. Error: it has no batch.
  EpochReader(LoaderRef& loader, std::string_view what, torch::Device device, int64_t parts = 1,
              bool channels_last = false, const Processes* processes = nullptr);

  void start(int64_t epoch);
  /// False after the last batch. Error: there are fewer or more than the loader says.
  bool next(Batch& batch);
  /// The same for what a step sees; at the end of an epoch it may have fewer parts.
  bool next(StepBatch& batch);
  /// Passes over steps of a part of the epoch that was walked through before.
  void skip(int64_t count);
  /// How many steps an epoch has.
  int64_t steps() const { return (loader_.batches() + parts_ - 1) / parts_; }

 private:
  LoaderRef& loader_;
  std::string_view what_;
  torch::Device device_;
  int64_t parts_;
  bool channels_last_;
  const Processes* processes_;
  int64_t epoch_ = 0, read_ = 0, batches_ = 0;
};

/// Error: sample weights for neither a task nor a target; a task's target is not in the batch,
/// while there is one that no task reads: a name is misspelt. (Where nothing is left over, the task
/// has no labels in this batch.)
void check_target_names(const Model& model, const Batch& batch, std::string_view loader);

}  // namespace mtl
