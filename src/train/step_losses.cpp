#include "step_losses.hpp"

#include <fmt/format.h>

#include "faults.hpp"
#include "forward.hpp"
#include "loss_meter.hpp"
#include "mtl/combine/faulty_step.hpp"
#include "mtl/combine/scaled_losses.hpp"
#include "mtl/sharing/task_losses.hpp"

namespace mtl {

std::vector<Tensor> reached_parameters(Model& model, const std::vector<Tensor>& held) {
  std::vector<Tensor> all = held;
  const auto add = [&all](const std::vector<Tensor>& list) {
    all.insert(all.end(), list.begin(), list.end());
  };
  const Parameters& sets = model.parameter_sets();
  add(sets.shared);
  for (const auto& of_task : sets.by_task) add(of_task);
  return all;
}

StepForward step_losses(Model& model, const StepBatch& batch, const std::vector<Tensor>& held,
                        const std::vector<bool>& left_out, Arithmetic arithmetic, double scale) {
  const auto of_part = [&](const Batch& part) {
    StepForward seen;
    seen.predictions = forward(model, part, arithmetic);
    seen.losses = task_losses(model, seen.predictions, part, left_out);
    if (scale != 1) seen.losses = scaled_losses(seen.losses, scale);
    return seen;
  };
  if (batch.size() == 1) return of_part(batch.front());
  if (batch.empty()) {
    StepForward nothing;
    nothing.losses.task_count = model.tasks().size();
    return nothing;
  }
  AccumulatedLosses whole(reached_parameters(model, held));
  for (const Batch& part : batch) {
    const StepForward seen = of_part(part);
    try {
      whole.add(seen.losses);
    } catch (const FaultyStep&) {
      const std::string fault = explain_losses(model, part, seen, numbers_of(seen.losses.values));
      if (fault.empty()) throw;
      throw FaultyStep(fault);
    }
  }
  return {.losses = whole.losses()};
}

TaskLosses clipped_by_task(const TaskLosses& losses, AccumulatedLosses& whole, double max_norm) {
  if (first_not_finite(numbers_of(losses.values)) >= 0) return losses;
  whole.add(losses);
  whole.clip(max_norm);
  TaskLosses clipped = whole.losses();
  whole.begin_anew();  // what it keeps is as large as the model, once a task
  return clipped;
}

LossScale loss_scale_of(const TrainerOptions& options) {
  LossScale scale{.options = options.loss_scaling};
  if (!scale.options && options.arithmetic == Arithmetic::float16) scale.options.emplace();
  if (scale.options) scale.value = scale.options->start;
  return scale;
}

std::string steps_text(const TrainerOptions& options) {
  std::string text;
  if (options.accumulate > 1) text += fmt::format("; {} batches a step", options.accumulate);
  if (options.arithmetic == Arithmetic::bfloat16) text += "; in bfloat16";
  if (options.arithmetic == Arithmetic::float16) text += "; in float16";
  if (loss_scale_of(options).options) text += "; losses scaled";
  if (options.max_task_grad_norm > 0)
    text += fmt::format("; tasks' gradients up to {}", options.max_task_grad_norm);
  return text;
}

std::string explain_losses(const Model& model, const Batch& batch, const StepForward& seen,
                           const std::vector<double>& values) {
  const int64_t at = first_not_finite(values);
  if (at < 0 || at >= seen.losses.size()) return {};
  const std::string& task = seen.losses.names[static_cast<size_t>(at)];
  return fmt::format("task \"{}\": the loss is NaN or infinite: {}", task,
                     explain_loss(model, batch, seen.predictions, task));
}

}  // namespace mtl
