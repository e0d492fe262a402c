#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "mtl/combine/state/task_numbers.hpp"

namespace mtl {

/// Numbers by task that a combiner moves itself, by Adam (betas .9 .999, eps 1e-8), in double
/// precision on the CPU. A task absent from a step keeps its number and its moments.
/// Kingma and Ba, ICLR 2015 (arXiv 1412.6980).
class TaskAdam {
 public:
  TaskAdam(double start, double lr, int64_t tasks = 0)
      : lr_(lr),
        numbers_("weights", start, tasks),
        mean_("mean", 0, tasks),
        square_("square", 0, tasks),
        steps_("steps", 0, tasks) {}

  /// Error: they are of another number of tasks.
  void set_task_count(int64_t tasks) {
    for (TaskNumbers* numbers : parts()) numbers->set_task_count(tasks);
  }
  /// Of all tasks, [T]; empty while their number is not known.
  Eigen::VectorXd all() const { return numbers_.all(); }
  /// Of the tasks of a step, [P].
  Eigen::VectorXd present(const TaskLosses& step) { return numbers_.present(step); }
  /// One step along `gradient` [P]; none gets below `lowest`.
  void descend(const TaskLosses& step, const Eigen::VectorXd& gradient,
               double lowest = -std::numeric_limits<double>::infinity());

  /// What `load_numbers` reads and `saved_numbers` writes.
  std::vector<TaskNumbers*> parts() { return {&numbers_, &mean_, &square_, &steps_}; }
  std::vector<const TaskNumbers*> parts() const { return {&numbers_, &mean_, &square_, &steps_}; }

 private:
  double lr_;
  TaskNumbers numbers_, mean_, square_;  // the numbers and their moments
  TaskNumbers steps_;                    // how often each was moved
};

inline void TaskAdam::descend(const TaskLosses& step, const Eigen::VectorXd& gradient,
                              double lowest) {
  Eigen::VectorXd numbers = numbers_.present(step), mean = mean_.present(step),
                  square = square_.present(step), steps = steps_.present(step);
  for (Eigen::Index i = 0; i < gradient.size(); ++i) {
    const double g = gradient[i];
    steps[i] += 1;
    mean[i] += (1 - 0.9) * (g - mean[i]);
    square[i] += (1 - 0.999) * (g * g - square[i]);
    const double first = mean[i] / (1 - std::pow(0.9, steps[i]));
    const double second = square[i] / (1 - std::pow(0.999, steps[i]));
    numbers[i] = std::max(lowest, numbers[i] - lr_ * first / (std::sqrt(second) + 1e-8));
  }
  numbers_.keep(step, numbers);
  mean_.keep(step, mean);
  square_.keep(step, square);
  steps_.keep(step, steps);
}

}  // namespace mtl
