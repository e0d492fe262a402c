#include "mtl/train/validation.hpp"

#include <limits>
#include <memory>

#include "loss_meter.hpp"
#include "mtl/core/error.hpp"
#include "mtl/sharing/task_losses.hpp"

namespace mtl {
namespace {

torch::Device device_of(const Model& model) {
  const auto parameters = model.parameters();
  return parameters.empty() ? torch::Device(torch::kCPU) : parameters.front().device();
}

/// Evaluation mode for a while; the mode found is put back also when something throws.
class EvaluationMode {
 public:
  explicit EvaluationMode(Model& model) : model_(model), training_(model.is_training()) {
    model_.eval();
  }
  ~EvaluationMode() { model_.train(training_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  Model& model_;
  bool training_;
};

/// Calls `see(predictions, batch)` for each batch, in evaluation mode and without gradients.
template <class See>
void for_each_batch(Model& model, LoaderRef& loader, See see) {
  torch::NoGradGuard no_grad;
  const EvaluationMode evaluation(model);
  const torch::Device device = device_of(model);
  loader.start_epoch(0);
  Batch batch;
  while (loader.next(batch)) {
    if (!device.is_cpu()) batch = to(batch, device);
    see(model.forward(batch.inputs), batch);
  }
}

/// Collects tensors by name, batch after batch.
class Collector {
 public:
  void add(const NamedTensors& tensors) {
    if (parts_.empty()) {
      for (const auto& item : tensors) names_.push_back(item.key());
      parts_.resize(names_.size());
    }
    for (size_t i = 0; i < names_.size(); ++i) parts_[i].push_back(tensors[names_[i]].cpu());
  }
  NamedTensors joined() const {
    NamedTensors all;
    for (size_t i = 0; i < names_.size(); ++i) all.insert(names_[i], torch::cat(parts_[i]));
    return all;
  }

 private:
  std::vector<std::string> names_;
  std::vector<std::vector<Tensor>> parts_;
};

}  // namespace

Predictions predict(Model& model, LoaderRef loader) {
  Collector predictions, targets;
  for_each_batch(model, loader, [&](const NamedTensors& answers, const Batch& batch) {
    predictions.add(answers);
    targets.add(batch.targets);
  });
  return {predictions.joined(), targets.joined()};
}

std::vector<double> metrics_of(const Task& task, const Predictions& predictions) {
  std::vector<double> values(task.metrics.size(), std::numeric_limits<double>::quiet_NaN());
  const Tensor* target = predictions.targets.find(task.target_name());
  if (target == nullptr || task.metrics.empty()) return values;
  const Tensor rows = task.loss.is_labelled(*target).nonzero().squeeze(1);
  if (rows.size(0) == 0) return values;
  const Tensor answered = predictions.predictions[task.name].index_select(0, rows);
  const Tensor truth = target->index_select(0, rows);
  for (size_t m = 0; m < values.size(); ++m) {
    try {
      values[m] = task.metrics[m](answered, truth);
    } catch (const Error& error) {
      throw Error("task \"{}\", metric \"{}\": {}", task.name, task.metrics[m].name, error.what());
    }
  }
  return values;
}

SplitRecord validate(Model& model, Combiner& combiner, LoaderRef loader) {
  LossMeter meter(model.tasks().size());
  Collector predictions, targets;
  bool any_metric = false;
  for (const Task& task : model.tasks()) any_metric = any_metric || !task.metrics.empty();
  for_each_batch(model, loader, [&](const NamedTensors& answers, const Batch& batch) {
    const TaskLosses losses = task_losses(model, answers, batch);
    const int64_t faulty = meter.add(losses);
    if (faulty >= 0)
      throw Error("task \"{}\": its loss on the validation data is NaN or infinite",
                  losses.names[static_cast<size_t>(faulty)]);
    if (any_metric) {
      predictions.add(answers);
      targets.add(batch.targets);
    }
  });
  SplitRecord record;
  record.names = std::make_shared<const ResultNames>(result_names(model.tasks()));
  record.losses = meter.means();
  record.total = total_of(combiner, model.tasks(), record.losses);
  if (any_metric) {
    const Predictions all{predictions.joined(), targets.joined()};
    for (const Task& task : model.tasks()) record.metrics.push_back(metrics_of(task, all));
  } else {
    record.metrics.resize(static_cast<size_t>(model.tasks().size()));
  }
  return record;
}

}  // namespace mtl
