#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mtl/combine/task_losses.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// The sums of tensors over all processes: as many, of the same shapes and types; the same to the
/// bit everywhere. Every process hands over tensors of the same shapes, in the same order.
using SumOverProcesses = std::function<std::vector<Tensor>(std::vector<Tensor>)>;

/// Sums over all processes that are under way.
struct StartedSum {
  std::vector<Tensor> sums;    ///< hold the values once `wait` has returned
  std::function<void()> wait;  ///< called once
};

/// Begins such sums and returns at once, so that they travel while others are computed. Begun in
/// the same order everywhere; the tensors handed over are not read afterwards by who did.
using StartSumOverProcesses = std::function<StartedSum(std::vector<Tensor>)>;

/// The losses of a batch whose rows are spread over several processes, for every combiner as if it
/// were in one: `own` are the losses of this process's share of it.
///
///     combiner.backward(mtl::joined_losses(own, model->parameters(), sum), *model);
///
/// A loss is a weighted mean over labelled samples, so that with W_k the weight behind share k
///     l_t = sum_k W_kt l_kt / sum_k W_kt,      g_t = sum_k W_kt g_kt / sum_k W_kt,
/// also where some shares have no label of a task. The values are there at once; a backward pass
/// from them walks back through this process's graph and sums what it found over the processes,
/// once a pass. So a combiner of losses costs one sum of the gradients a step, one that compares
/// gradients one a task, and what it sees and writes is the same everywhere. Gradients at a shared
/// representation stay where its rows are: of them only the Gramian is summed.
///
/// `parameters`: all that the losses may reach and that shall learn, in the same order everywhere;
/// doubles count once, those that require no gradient not at all. `names`: of all tasks, for those
/// without a label here; left out: their number. Under NoGradGuard the values only. A loss that is
/// NaN or infinite makes that of the whole batch so.
/// Error: a parameter is undefined or computed from others; it has a hook, which would see a
/// gradient twice; the losses of a task differ in kind or type between the processes.
TaskLosses joined_losses(const TaskLosses& own, const std::vector<Tensor>& parameters,
                         const SumOverProcesses& sum, const std::vector<std::string>& names = {});

/// The same for step after step: parameters and names are copied and hashed once, and gradients
/// travel while the pass that finds them goes on. They are summed in buckets, the last parameter's
/// first, each begun as soon as it is whole; of a combiner that compares gradients one task's
/// travel while the next one's are computed.
///
///     const mtl::LossJoiner joiner(model->parameters(), start, names, 1 << 20);
///     combiner.backward(joiner.joined(own), *model);
class LossJoiner {
 public:
  /// A bucket takes tensors up to `bucket_bytes`, one of them at least; 0: one bucket a pass.
  LossJoiner(const std::vector<Tensor>& parameters, StartSumOverProcesses start,
             std::vector<std::string> names = {}, int64_t bucket_bytes = 0);

  /// Error: as of joined_losses.
  TaskLosses joined(const TaskLosses& own) const;

  struct State;

 private:
  std::shared_ptr<const State> state_;
};

}  // namespace mtl
