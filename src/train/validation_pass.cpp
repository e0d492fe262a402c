#include "validation_pass.hpp"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <vector>

#include "epoch_reader.hpp"
#include "evaluation_mode.hpp"
#include "faults.hpp"
#include "forward.hpp"
#include "loss_meter.hpp"
#include "mtl/core/error.hpp"
#include "mtl/sharing/task_losses.hpp"
#include "mtl/task/task_metrics.hpp"

namespace mtl {
namespace {

/// The rows of predictions that `rows` [n] names.
NamedTensors rows_of(const NamedTensors& tensors, const Tensor& rows) {
  NamedTensors part;
  for (const auto& item : tensors) part.insert(item.key(), item.value().index_select(0, rows));
  return part;
}

/// Which samples have a finite loss in every task, asked one by one: [n] indices.
Tensor sound_rows(const Model& model, const NamedTensors& predictions, const Batch& batch) {
  std::vector<int64_t> sound;
  for (int64_t row = 0; row < size(batch); ++row) {
    const Tensor one = torch::tensor({row}, torch::kLong).to(device_of(model));
    const TaskLosses losses = task_losses(model, rows_of(predictions, one), batch_rows(batch, one));
    if (first_not_finite(numbers_of(losses.values)) < 0) sound.push_back(row);
  }
  return torch::tensor(sound, torch::kLong).to(device_of(model));
}

}  // namespace

ValidationPass validation_pass(Model& model, Combiner* combiner, LoaderRef& loader,
                               FaultyBatch faulty) {
  torch::NoGradGuard no_grad;
  const EvaluationMode evaluation(model);
  const TaskRegistry& tasks = model.tasks();
  ValidationPass pass;
  LossMeter meter(tasks.size());
  std::vector<TaskMetrics> metrics;
  for (const Task& task : tasks) metrics.emplace_back(task);
  EpochReader reader(loader, "the validation loader", device_of(model));
  reader.start(0);
  Batch batch;
  for (int64_t number = 1; reader.next(batch); ++number) {
    if (number == 1) check_target_names(model, batch, "the validation loader");
    NamedTensors predictions = forward(model, batch);
    TaskLosses losses = task_losses(model, predictions, batch);
    std::vector<double> values = numbers_of(loss_scalars(losses));
    if (const int64_t at = first_not_finite(values); at >= 0) {
      const std::string& task = losses.names[static_cast<size_t>(at)];
      const std::string text =
          fmt::format("validation batch {}, task \"{}\": the loss is NaN or infinite: {}", number,
                      task, explain_loss(model, batch, predictions, task));
      if (faulty == FaultyBatch::stop)
        throw Error("{}. Mend the data, or give FaultyBatch::skip to leave such rows out", text);
      check_parameters(model);
      const Tensor sound = sound_rows(model, predictions, batch);
      pass.faulty_rows += size(batch) - sound.size(0);
      if (pass.first_fault.empty()) pass.first_fault = text;
      batch = batch_rows(batch, sound);
      predictions = rows_of(predictions, sound);
      losses = task_losses(model, predictions, batch);
      values = numbers_of(loss_scalars(losses));
      if (first_not_finite(values) >= 0)
        throw Error("{}, though that of each row by itself is finite", text);
    }
    meter.add(losses, values);
    for (int64_t t = 0; t < tasks.size(); ++t)
      metrics[static_cast<size_t>(t)].add(predictions[tasks[t].name], batch);
  }

  SplitRecord& record = pass.record;
  record.names = std::make_shared<const ResultNames>(result_names(tasks));
  record.losses = meter.means();
  record.total = total_of(combiner, tasks, record.losses);
  if (std::isnan(record.total))
    throw Error("no task{} has a label in the batches of the validation loader",
                record.names->has_auxiliary() ? " that is not auxiliary" : "");
  for (const TaskMetrics& of_task : metrics) record.metrics.push_back(of_task.values());
  return pass;
}

}  // namespace mtl
