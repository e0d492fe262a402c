#include "step_losses.hpp"

#include <fmt/format.h>

#include "faults.hpp"
#include "forward.hpp"
#include "loss_meter.hpp"
#include "mtl/combine/accumulated_losses.hpp"
#include "mtl/combine/faulty_step.hpp"
#include "mtl/sharing/task_losses.hpp"

namespace mtl {

StepForward step_losses(Model& model, const StepBatch& batch, const std::vector<Tensor>& held,
                        const std::vector<bool>& left_out, Arithmetic arithmetic) {
  const auto of_part = [&](const Batch& part) {
    StepForward seen;
    seen.predictions = forward(model, part, arithmetic);
    seen.losses = task_losses(model, seen.predictions, part, left_out);
    return seen;
  };
  if (batch.size() == 1) return of_part(batch.front());
  std::vector<Tensor> parameters = held;
  const auto add = [&parameters](const std::vector<Tensor>& list) {
    parameters.insert(parameters.end(), list.begin(), list.end());
  };
  add(model.parameter_sets().shared);
  for (const auto& of_task : model.parameter_sets().by_task) add(of_task);
  AccumulatedLosses whole(parameters);
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

std::string steps_text(int64_t accumulate, Arithmetic arithmetic) {
  std::string text;
  if (accumulate > 1) text += fmt::format("; {} batches a step", accumulate);
  if (arithmetic == Arithmetic::bfloat16) text += "; in bfloat16";
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
