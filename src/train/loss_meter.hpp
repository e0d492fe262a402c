#pragma once

#include <cstdint>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/task/registry.hpp"

namespace mtl {

/// The mean loss of each task over an epoch, weighted by labelled samples.
///
/// A loss on the CPU is read where it lies, which costs nothing; losses on a device are kept there
/// and read back once at the end.
class LossMeter {
 public:
  explicit LossMeter(int64_t tasks);

  /// Returns the position in `losses` of the first one that is NaN or infinite, -1 when all are
  /// finite or on a device.
  int64_t add(const TaskLosses& losses);

  /// By task; NaN for a task without any label.
  std::vector<double> means();

 private:
  struct Pending {
    int64_t task;
    int64_t samples;
    Tensor value;
  };
  std::vector<double> sums_;
  std::vector<int64_t> samples_;
  std::vector<Pending> pending_;
};

/// The combiner's one number for the mean losses of an epoch; tasks with NaN are left out.
double total_of(Combiner& combiner, const TaskRegistry& tasks, const std::vector<double>& losses);

}  // namespace mtl
