#pragma once

#include "mtl/combine/task_losses.hpp"
#include "mtl/core/error.hpp"

namespace mtl {

/// Error, before anything is read: a loss or a weight behind one is not a single number; a list of
/// the losses is of another length than they are; their tasks are none of the registry's, or not
/// each once and in its order.
inline void check_lists(const TaskLosses& losses) {
  const size_t count = losses.values.size();
  if (losses.names.size() != count || losses.tasks.size() != count)
    throw Error("{} losses with {} names and {} indices of tasks; task_losses(values) gives them",
                count, losses.names.size(), losses.tasks.size());
  const auto one_a_loss = [count](size_t size, const char* what) {
    if (size != 0 && size != count)
      throw Error("{} losses with {} {}; give one a loss, or none", count, size, what);
  };
  one_a_loss(losses.samples.size(), "numbers of samples");
  one_a_loss(losses.weights.size(), "weights behind them");
  one_a_loss(losses.kinds.size(), "kinds");
  for (size_t t = 0; t < count; ++t) {
    if (losses.tasks[t] < 0 || losses.tasks[t] >= losses.task_count)
      throw Error("task \"{}\" has the index {}, expected one below the number of tasks, {}",
                  losses.names[t], losses.tasks[t], losses.task_count);
    if (t > 0 && losses.tasks[t] <= losses.tasks[t - 1])
      throw Error(
          "task \"{}\" has the index {} and stands behind one of index {}; expected each task "
          "once, in the order of the registry",
          losses.names[t], losses.tasks[t], losses.tasks[t - 1]);
    const Tensor& loss = losses.values[t];
    if (!loss.defined()) throw Error("task \"{}\": its loss is undefined", losses.names[t]);
    if (loss.numel() != 1)
      throw Error("task \"{}\": its loss has shape {}, expected one number: take its mean",
                  losses.names[t], shape_text(loss));
    if (t < losses.weights.size() && losses.weights[t].defined() && losses.weights[t].numel() != 1)
      throw Error(
          "task \"{}\": the weight behind its loss has shape {}, expected one number: the sum of "
          "its samples' weights",
          losses.names[t], shape_text(losses.weights[t]));
  }
}

/// The same where losses are weighed against those of other parts of a batch.
inline void check_part(const TaskLosses& losses) {
  check_lists(losses);
  if (losses.samples.size() != losses.values.size())
    throw Error(
        "{} losses of a part of a batch with {} numbers of samples, expected one a loss: by them "
        "the parts are weighed",
        losses.values.size(), losses.samples.size());
}

}  // namespace mtl
