#pragma once

#include <Eigen/Core>
#include <limits>

#include "mtl/combine/combiner.hpp"

namespace mtl {

/// One number a task that Adam moves (betas .9 .999, eps 1e-8), in double precision on the CPU. A
/// task absent from a step keeps its number and its moments.
class TaskWeights {
 public:
  TaskWeights(double start, double lr) : start_(start), lr_(lr) {}

  /// Those of the step's tasks, [P]. Sized to the registry at first use. Error: they are kept for
  /// another number of tasks.
  Eigen::VectorXd present(const TaskLosses& step);
  /// One step of Adam along `gradient` [P]; none gets below `lowest`.
  void descend(const TaskLosses& step, const Eigen::VectorXd& gradient,
               double lowest = -std::numeric_limits<double>::infinity());
  /// By task of the registry, [T]; empty before the first step.
  const Eigen::VectorXd& all() const { return values_; }

  NamedTensors state_dict() const;
  void load_state_dict(const NamedTensors& state);

 private:
  double start_, lr_;
  Eigen::VectorXd values_;
  Eigen::VectorXd mean_, square_, steps_;  // Adam's moments and how often each task was moved
};

}  // namespace mtl
