#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/combine/make_combiner.hpp"
#include "mtl/core/error.hpp"
#include "mtl/evaluate/compare.hpp"
#include "mtl/train/predict.hpp"

// What a program needs that offers `compare` with combiners as its methods.
namespace mtl::evaluate {

/// The methods in a command line's list, "single-task,sum,cagrad:c=0.4,rescale=0": texts for
/// `make_combiner`, whose options may hold commas themselves. Single-task models, which every
/// comparison has, may stand in the list and are left out.
/// Error: what make_combiner does not know; a list without a method.
std::vector<std::string> combiner_methods(std::string_view list);

/// What the trial's tasks are trained with: its method, or where there is one task only, "sum".
inline std::string combiner_of(const Trial& trial) {
  return trial.method == single_task ? "sum" : trial.method;
}

/// Whether the trial's model has that task.
inline bool trains(const Trial& trial, std::string_view task) {
  return std::find(trial.tasks.begin(), trial.tasks.end(), task) != trial.tasks.end();
}

/// What predictions reach in the tasks' metrics, be they those of the training or others, in units
/// of their own. Tasks without predictions are left out.
std::vector<Score> scores_of(const std::vector<Task>& tasks, const Predictions& found);

}  // namespace mtl::evaluate
