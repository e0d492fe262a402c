#include "mtl/task/task.hpp"

#include "mtl/core/error.hpp"
#include "mtl/task/task_metrics.hpp"
#include "torch_text.hpp"

namespace mtl {
LossValue loss_of(const Task& task, const Tensor& prediction, const Batch& batch) {
  const Tensor* target = batch.targets.find(task.target_name());
  if (target == nullptr || !target->defined()) return {};
  if (prediction.device() != target->device())
    throw Error(
        "task \"{}\": its prediction lies on {}, its target \"{}\" on {}; move the batch to the "
        "model's device, with mtl::to(batch, device) or TrainerOptions::device",
        task.name, prediction.device().str(), task.target_name(), target->device().str());
  try {
    return task.loss(prediction, *target, batch.complete, sample_weights_of(batch, task.name));
  } catch (const Error& error) {
    throw Error("task \"{}\": {}", task.name, error.what());
  } catch (const c10::Error& error) {
    throw Error("task \"{}\": the loss does not take {}", task.name,
                torch_text(error, prediction, *target));
  }
}

std::vector<double> metrics_of(const Task& task, const Tensor& predictions, const Tensor& targets,
                               const Tensor& sample_weights, const NamedTensors& beside) {
  TaskMetrics metrics(task);
  metrics.add(predictions, targets, sample_weights, beside);
  return metrics.values();
}

}  // namespace mtl
