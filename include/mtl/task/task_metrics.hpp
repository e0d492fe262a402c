#pragma once

#include <vector>

#include "mtl/task/task.hpp"

namespace mtl {

/// The metrics of a task over a data set that comes in batches, over its labelled samples. Metrics
/// that stream keep no rows; the others keep them, on the CPU, until they are asked.
///
///     TaskMetrics metrics(task);
///     while (loader.next(batch)) metrics.add(model->forward(batch.inputs)[task.name], batch);
///     metrics.values();                                       // in the order of Task::metrics
class TaskMetrics {
 public:
  explicit TaskMetrics(const Task& task);

  /// Takes the predictions [N, ...] of a batch, with its sample weights; nothing where it has no
  /// target of the task. Error: with the names of task and metric, what the metric says, with rows
  /// numbered over all batches that have the target.
  void add(const Tensor& predictions, const Batch& batch);

  /// The same with targets [N, ...], sample weights [N] (undefined: all one), and the targets that
  /// metrics with a group read, by name.
  void add(const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights = Tensor(), const NamedTensors& beside = NamedTensors());

  /// As if the other's batches came behind its own. `other`: of the same task.
  /// Error: it has other metrics.
  void merge(const TaskMetrics& other);

  /// By metric; NaN where no sample is labelled. Error: as add().
  std::vector<double> values() const;

 private:
  [[noreturn]] void rethrow(size_t metric) const;

  Task task_;
  std::vector<MetricStream> streams_;  // by metric
};

}  // namespace mtl
