#pragma once

#include <string>
#include <vector>

#include "mtl/nn/layer.hpp"
#include "mtl/task/loss.hpp"
#include "mtl/task/metric.hpp"

namespace mtl {

/// A task: what it is called, the head that answers it, the loss that teaches it, the metrics that
/// judge it, and the target it reads.
struct Task {
  std::string name;
  Head head = {};
  Loss loss = {};
  std::vector<Metric> metrics = {};
  std::string target = {};  // empty: the task's name
  /// Trained and shown, but left out of the totals by which epochs are compared: early stopping and
  /// the choice of the best model do not see it.
  bool auxiliary = false;

  const std::string& target_name() const { return target.empty() ? name : target; }
};

/// The task's loss on one batch, with the batch's sample weights. No samples where its target is
/// absent, has no label or where all weights are 0.
/// Error: with the task's name, what the loss says about the prediction and the target.
LossValue loss_of(const Task& task, const Tensor& prediction, const Batch& batch);

/// The task's metrics over the labelled samples of predictions [N, ...] and targets [N, ...], in
/// the order of Task::metrics; `sample_weights` [N], undefined: all one. NaN where no sample is
/// labelled. `beside`: the targets by which metrics group rows. Error: with the names of task and
/// metric, what the metric says. Batch after batch: TaskMetrics.
std::vector<double> metrics_of(const Task& task, const Tensor& predictions, const Tensor& targets,
                               const Tensor& sample_weights = Tensor(),
                               const NamedTensors& beside = NamedTensors());

}  // namespace mtl
