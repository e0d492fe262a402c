#include "validation_pass.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "epoch_reader.hpp"
#include "faults.hpp"
#include "forward.hpp"
#include "loss_meter.hpp"
#include "mtl/core/error.hpp"
#include "mtl/nn/keep_modes.hpp"
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

/// A pass under way.
class Pass {
 public:
  Pass(Model& model, FaultyBatch faulty, const Processes* processes)
      : model_(model),
        tasks_(model.tasks()),
        faulty_(faulty),
        processes_(processes != nullptr && processes->several() ? processes : nullptr),
        meter_(tasks_.size()) {
    for (const Task& task : tasks_) {
      metrics_.emplace_back(task);
      has_metrics_ = has_metrics_ || !task.metrics.empty();
    }
  }

  void walk(LoaderRef& loader) {
    EpochReader reader(loader, "the validation loader", device_of(model_), 1, false, processes_);
    reader.start(0);
    Batch batch;
    for (int64_t number = 1; reader.next(batch); ++number) {
      if (number == 1) check_target_names(model_, batch, "the validation loader");
      if (processes_ == nullptr) {
        add_metrics(seen(batch, number), batch);
        continue;
      }
      NamedTensors predictions;
      if (error_.empty() && size(batch) > 0) predictions = seen_or_not(batch, number);
      if (has_metrics_) share_metrics(predictions, batch);
    }
    if (processes_ != nullptr) meet();
  }

  ValidationPass result(Combiner* combiner) {
    SplitRecord& record = pass_.record;
    record.names = std::make_shared<const ResultNames>(result_names(tasks_));
    record.losses = meter_.means();
    record.total = total_of(combiner, tasks_, record.losses);
    if (std::isnan(record.total))
      throw Error("no task{} has a label in the batches of the validation loader",
                  record.names->has_auxiliary() ? " that is not auxiliary" : "");
    for (const TaskMetrics& of_task : metrics_) record.metrics.push_back(of_task.values());
    return std::move(pass_);
  }

 private:
  /// Predictions, whose losses are counted. Faulty rows leave the batch, or it is an Error.
  NamedTensors seen(Batch& batch, int64_t number) {
    NamedTensors predictions = mtl::forward(model_, batch);
    TaskLosses losses = task_losses(model_, predictions, batch);
    std::vector<double> values = numbers_of(loss_scalars(losses));
    if (const int64_t at = first_not_finite(values); at >= 0) {
      const std::string& task = losses.names[static_cast<size_t>(at)];
      const std::string text =
          fmt::format("validation batch {}, task \"{}\": the loss is NaN or infinite: {}", number,
                      task, explain_loss(model_, batch, predictions, task));
      if (faulty_ == FaultyBatch::stop)
        throw Error("{}. Mend the data, or give FaultyBatch::skip to leave such rows out", text);
      check_parameters(model_);
      const Tensor sound = sound_rows(model_, predictions, batch);
      pass_.faulty_rows += size(batch) - sound.size(0);
      if (pass_.first_fault.empty()) pass_.first_fault = text;
      batch = batch_rows(batch, sound);
      predictions = rows_of(predictions, sound);
      losses = task_losses(model_, predictions, batch);
      values = numbers_of(loss_scalars(losses));
      if (first_not_finite(values) >= 0)
        throw Error("{}, though that of each row by itself is finite", text);
    }
    meter_.add(losses, values);
    return predictions;
  }

  /// The same where the others have to hear first what is wrong.
  NamedTensors seen_or_not(Batch& batch, int64_t number) {
    try {
      return seen(batch, number);
    } catch (const Error& error) {
      error_ = error.what();
    } catch (const c10::Error& error) {
      error_ = error.what_without_backtrace();
    }
    return NamedTensors();
  }

  void add_metrics(const NamedTensors& predictions, const Batch& batch) {
    for (int64_t t = 0; t < tasks_.size(); ++t)
      metrics_[static_cast<size_t>(t)].add(predictions[tasks_[t].name], batch);
  }

  /// All processes' rows in their order, as if they were batches of their own.
  void share_metrics(const NamedTensors& predictions, const Batch& batch) {
    NamedTensors own;
    for (const Task& task : tasks_)
      if (predictions.contains(task.name) && !task.metrics.empty())
        own.insert("prediction." + task.name, predictions[task.name]);
    if (!own.is_empty()) {
      for (const auto& item : batch.targets)
        if (item.value().defined()) own.insert("target." + item.key(), item.value());
      for (const auto& item : batch.task_sample_weights)
        if (item.value().defined()) own.insert("weights." + item.key(), item.value());
      if (batch.sample_weights.defined()) own.insert("weights", batch.sample_weights);
    }
    const auto all = processes_->gather(own);
    for (const NamedTensors& of_process : all) {
      Batch rows;
      NamedTensors of_task;
      for (const auto& item : of_process) {
        const std::string& key = item.key();
        const std::string name = key.substr(std::min(key.find('.') + 1, key.size()));
        if (key == "weights")
          rows.sample_weights = item.value();
        else if (key.starts_with("prediction."))
          of_task.insert(name, item.value());
        else if (key.starts_with("target."))
          rows.targets.insert(name, item.value());
        else
          rows.task_sample_weights.insert(name, item.value());
      }
      for (int64_t t = 0; t < tasks_.size(); ++t)
        if (const Tensor* prediction = of_task.find(tasks_[t].name))
          metrics_[static_cast<size_t>(t)].add(*prediction, rows);
    }
  }

  /// Losses and faults of all shares together.
  void meet() {
    const auto sums = processes_->sum(
        {meter_.saved(), torch::tensor({static_cast<double>(pass_.faulty_rows)}, torch::kDouble)});
    meter_.load(sums[0]);
    pass_.faulty_rows = static_cast<int64_t>(sums[1].item<double>());
    const auto errors = processes_->gather_texts(error_);
    const auto faults = processes_->gather_texts(pass_.first_fault);
    pass_.first_fault.clear();
    for (size_t p = 0; p < errors.size(); ++p) {
      if (!errors[p].empty()) throw Error("process {}: {}", static_cast<int64_t>(p), errors[p]);
      if (pass_.first_fault.empty() && !faults[p].empty())
        pass_.first_fault = fmt::format("process {}: {}", p, faults[p]);
    }
  }

  Model& model_;
  const TaskRegistry& tasks_;
  FaultyBatch faulty_;
  const Processes* processes_;
  LossMeter meter_;
  std::vector<TaskMetrics> metrics_;
  bool has_metrics_ = false;
  ValidationPass pass_;
  std::string error_;  // of this share
};

}  // namespace

ValidationPass validation_pass(Model& model, Combiner* combiner, LoaderRef& loader,
                               FaultyBatch faulty, const Processes* processes) {
  torch::NoGradGuard no_grad;
  const nn::KeepModes modes(model);
  model.eval();
  Pass pass(model, faulty, processes);
  pass.walk(loader);
  return pass.result(combiner);
}

}  // namespace mtl
