#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mtl/combine/combiner.hpp"

namespace mtl {

// What loss combiners keep by task is indexed by the registry, [T]; a step sees the present tasks
// only, [P].

/// The losses of a step as one tensor with graph, [P].
Tensor stacked(const TaskLosses& losses);

/// The entries of the present tasks out of `by_task` [T], in the losses' dtype and on their device.
/// Error: `by_task` is not for this many tasks; the text names `what`.
Tensor present(const Tensor& by_task, const TaskLosses& losses, std::string_view what);

/// Error naming the task whose loss is not positive, for `method`s that take its logarithm. On CPU
/// only: elsewhere the check would wait for the device, and the loss turns NaN.
void check_positive(const TaskLosses& losses, std::string_view method);

/// One learnable number a task. Without a registry its size is known at the first step only; then
/// its dtype and device follow the losses. The tensor itself, which an optimizer holds, stays the
/// same.
class TaskParameter {
 public:
  /// `tasks` 0: sized at first use.
  TaskParameter(std::string name, int64_t tasks, double start);

  const Tensor& tensor() const { return tensor_; }
  /// The entries of the present tasks, [P], with graph. An absent task gets gradient 0. Sizes and
  /// converts what has to be.
  Tensor present(const TaskLosses& losses);
  /// The same without changing anything: where the size is not known yet, all are at their start.
  Tensor values(const TaskLosses& losses) const;
  NamedTensors state_dict() const;
  void load_state_dict(const NamedTensors& state);

 private:
  std::string name_;
  double start_;
  Tensor tensor_;  // [T], a leaf that requires its gradient
};

/// The tensor of that name out of a combiner's state. Error: there is none; the text lists what is
/// there.
const Tensor& state_entry(const NamedTensors& state, const std::string& name);

/// A vector [T] of options as a tensor in double precision; undefined when it is empty.
Tensor option_tensor(const std::vector<double>& values, std::string_view what);

}  // namespace mtl
