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

  const std::string& target_name() const { return target.empty() ? name : target; }
};

/// The task's loss on one batch. No samples where its target is absent or has no label.
/// Errors carry the task's name.
LossValue loss_of(const Task& task, const Tensor& prediction, const Batch& batch);

}  // namespace mtl
