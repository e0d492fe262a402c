#include "mtl/combine/task_weights.hpp"

#include <algorithm>
#include <cmath>

#include "by_task.hpp"

namespace mtl {

using Eigen::VectorXd;

VectorXd TaskWeights::present(const TaskLosses& step) {
  size_to(values_, step.task_count, start_, "weights");
  return values_(step.tasks);
}

void TaskWeights::descend(const TaskLosses& step, const VectorXd& gradient, double lowest) {
  size_to(values_, step.task_count, start_, "weights");
  for (VectorXd* moment : {&mean_, &square_, &steps_})
    size_to(*moment, step.task_count, 0, "the moments of the weights");
  for (Eigen::Index i = 0; i < gradient.size(); ++i) {
    const int64_t t = step.tasks[static_cast<size_t>(i)];
    const double g = gradient[i];
    steps_[t] += 1;
    mean_[t] += (1 - 0.9) * (g - mean_[t]);
    square_[t] += (1 - 0.999) * (g * g - square_[t]);
    const double mean = mean_[t] / (1 - std::pow(0.9, steps_[t]));
    const double square = square_[t] / (1 - std::pow(0.999, steps_[t]));
    values_[t] = std::max(lowest, values_[t] - lr_ * mean / (std::sqrt(square) + 1e-8));
  }
}

NamedTensors TaskWeights::state_dict() const {
  NamedTensors state;
  state.insert("weights", to_tensor(values_));
  state.insert("mean", to_tensor(mean_));
  state.insert("square", to_tensor(square_));
  state.insert("steps", to_tensor(steps_));
  return state;
}

void TaskWeights::load_state_dict(const NamedTensors& state) {
  values_ = to_vector(state_entry(state, "weights"));
  mean_ = to_vector(state_entry(state, "mean"));
  square_ = to_vector(state_entry(state, "square"));
  steps_ = to_vector(state_entry(state, "steps"));
}

}  // namespace mtl
