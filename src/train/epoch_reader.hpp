#pragma once

#include <cstdint>
#include <string_view>

#include "mtl/core/batch.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/train/loader_ref.hpp"

namespace mtl {

/// Reads one epoch of a loader batch by batch, on a device, and sees to it that it is a whole one.
class EpochReader {
 public:
  /// `what`: the loader's name in errors, such as "the training loader". Error: it has no batch.
  EpochReader(LoaderRef& loader, std::string_view what, torch::Device device);

  void start(int64_t epoch);
  /// False after the last batch. Error: there are fewer or more than the loader says.
  bool next(Batch& batch);
  /// Passes over batches of a part of the epoch that was walked through before.
  void skip(int64_t count);

 private:
  LoaderRef& loader_;
  std::string_view what_;
  torch::Device device_;
  int64_t epoch_ = 0, read_ = 0, batches_ = 0;
};

/// Error: sample weights for neither a task nor a target; a task's target is not in the batch,
/// while there is one that no task reads: a name is misspelt. (Where nothing is left over, the task
/// has no labels in this batch.)
void check_target_names(const Model& model, const Batch& batch, std::string_view loader);

}  // namespace mtl
