#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "mtl/core/loss_kind.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// The task losses of one step: only the tasks that have labels in this batch, in the order of the
/// registry. Row i of every list belongs to the i-th of them.
struct TaskLosses {
  std::vector<int64_t> tasks;      ///< registry index of each
  std::vector<std::string> names;  ///< name of each
  std::vector<Tensor> values;      ///< scalar, with graph
  std::vector<int64_t> samples;    ///< labelled samples behind each
  std::vector<Tensor> weights;     ///< total weight behind each mean, scalar; none or undefined:
                                   ///< the number of samples
  std::vector<LossKind> kinds;     ///< kind of each; none: all regression
  int64_t task_count = 0;          ///< tasks of the registry, present or not
  Tensor representation;           ///< the shared representation of this forward; may be undefined
  /// The losses of a further batch on the same parameters, for methods that need several; may be
  /// empty.
  std::function<TaskLosses()> another_batch;
  /// The losses of this same batch on the parameters as they are when it is called, for methods
  /// that try other parameters; may be empty.
  std::function<TaskLosses()> same_batch;

  int64_t size() const { return static_cast<int64_t>(values.size()); }
  LossKind kind(size_t row) const { return kinds.empty() ? LossKind::regression : kinds[row]; }
};

/// The losses of T tasks called "0", "1", ..., from any model and any loop: `values` are scalars
/// with graph, `kinds` one a task or none (all are regressions). Error: another number of kinds.
TaskLosses task_losses(std::vector<Tensor> values, std::vector<LossKind> kinds = {});

/// Error: there is no loss; one is undefined or not a single number; none has a graph; names or
/// indices of the tasks are missing or none of theirs.
void check_losses(const TaskLosses& losses);

}  // namespace mtl
