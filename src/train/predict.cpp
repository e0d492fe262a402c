#include "mtl/train/predict.hpp"

#include <limits>

#include "collector.hpp"
#include "epoch_reader.hpp"
#include "forward.hpp"
#include "mtl/nn/keep_modes.hpp"

namespace mtl {

Predictions predict(ModelRef model, LoaderRef loader) {
  torch::NoGradGuard no_grad;
  const nn::KeepModes modes(*model);
  model->eval();
  EpochReader reader(loader, "the loader", device_of(*model));
  reader.start(0);
  Collector predictions(Collector::Absent::never), targets, weights(Collector::Absent::one),
      task_weights(Collector::Absent::one);
  Batch batch;
  while (reader.next(batch)) {
    predictions.add(forward(*model, batch), size(batch));
    targets.add(batch.targets, size(batch));
    weights.add({{"all", batch.sample_weights}}, size(batch));
    task_weights.add(batch.task_sample_weights, size(batch));
  }
  Predictions found{predictions.joined(), targets.joined()};
  if (const NamedTensors all = weights.joined(); !all.is_empty())
    found.sample_weights = all.front().value();
  found.task_sample_weights = task_weights.joined();
  return found;
}

std::vector<double> metrics_of(const Task& task, const Predictions& found) {
  const Tensor* target = found.targets.find(task.target_name());
  if (target == nullptr)
    return std::vector<double>(task.metrics.size(), std::numeric_limits<double>::quiet_NaN());
  Batch weights;
  weights.sample_weights = found.sample_weights;
  weights.task_sample_weights = found.task_sample_weights;
  return metrics_of(task, found.predictions[task.name], *target,
                    sample_weights_of(weights, task.name), found.targets);
}

}  // namespace mtl
