#pragma once

#include <cmath>
#include <span>
#include <string>

#include "mtl/core/error.hpp"
#include "mtl/task/metric.hpp"

namespace mtl::evaluate {

/// What a metric of a task is in a joint model and in a model of that task alone.
struct TaskGain {
  std::string task;
  double joint = 0, single = 0;
  Better better = Better::lower;
};

/// (joint - single) / |single|, with the sign turned where lower is better: 0.02 is two per cent
/// better. Error: a value that is not finite, a single-task value of zero.
inline double relative_gain(const TaskGain& gain) {
  if (!std::isfinite(gain.joint) || !std::isfinite(gain.single) || gain.single == 0)
    throw Error(
        "statistics: the relative gain of task \"{}\" needs finite values and a single-task "
        "value other than zero, found {} beside {}",
        gain.task, gain.joint, gain.single);
  const double change = (gain.joint - gain.single) / std::abs(gain.single);
  return gain.better == Better::higher ? change : -change;
}

/// Delta_m, the mean relative gain of a joint model over models of one task each: of a task with
/// several metrics their mean first, then the mean over tasks. Maninis et al., CVPR 2019 (arXiv
/// 1904.08918). Error: no task; as relative_gain.
double delta_m(std::span<const TaskGain> gains);

}  // namespace mtl::evaluate
