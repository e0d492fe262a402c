#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mtl/combine/task_losses.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// The losses of a batch that is walked through in parts, for every combiner as if it had been one:
///
///     mtl::AccumulatedLosses whole(model->parameters());
///     for (const mtl::Batch& part : parts) whole.add(mtl::task_losses(...));   // graphs go
///     combiner.backward(whole.losses(), *model);
///
/// A loss is a weighted mean over labelled samples, so that with W_k the weight behind part k
///     l_t = sum_k W_kt l_kt / sum_k W_kt,      g_t = sum_k W_kt g_kt / sum_k W_kt,
/// also where some parts have no label of a task. The gradients g_t are kept by task, and `losses`
/// gives scalars whose graph says just these: losses, Gramian and rows are those of the one batch,
/// to rounding. Takes one backward pass a task and part, and the memory of one gradient a task. A
/// representation, which every part has for itself, is not there: combiners that compare gradients
/// at it cannot be used.
class AccumulatedLosses {
 public:
  /// `parameters`: all that the losses may reach and that shall learn; doubles count once, those
  /// that require no gradient not at all. `shared`: those of them that `clip` looks at.
  /// Error: an undefined tensor, or one that is computed from others.
  explicit AccumulatedLosses(const std::vector<Tensor>& parameters,
                             const std::vector<Tensor>& shared = {});

  /// Takes a part; its graph is freed. Under NoGradGuard, or of a loss without a graph, the values
  /// only. FaultyStep, and nothing taken: a loss that is NaN or infinite. Error: parts of another
  /// number of tasks. Where a backward pass throws, all parts are forgotten, as by `begin_anew`.
  void add(const TaskLosses& part);

  /// Each task's gradient at the shared parameters, of all parts so far, is scaled down to this
  /// 2-norm where it is longer; its gradient at other parameters stays. One that is not finite
  /// stays as it is. Error: `max_norm` is not above 0.
  void clip(double max_norm);

  /// The losses of all parts so far; none has a label: no loss.
  TaskLosses losses() const;

  /// Forgets the parts, for the next batch; the list of parameters has been looked through.
  void begin_anew() { tasks_.clear(); }

 private:
  struct Task {
    std::string name;
    LossKind kind = LossKind::regression;
    Tensor like;  // a loss of its: type and device
    double sum = 0, weight = 0;
    int64_t samples = 0;
    bool weighted = false;    // some part says its weight
    double unit = 0;          // the power of two below its first weight above 0
    std::vector<Tensor> row;  // sum_k W_k g_k / unit by parameter; undefined: zero

    /// What a row is divided by; 1 where every weight is 0.
    double units() const { return weight == 0 ? 1 : weight / unit; }
  };

  std::vector<Tensor> parameters_;
  std::vector<bool> is_shared_;    // by parameter
  std::map<int64_t, Task> tasks_;  // by index in the registry
  int64_t task_count_ = 0;
};

}  // namespace mtl
