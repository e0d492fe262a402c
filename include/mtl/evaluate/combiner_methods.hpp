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
inline std::vector<std::string> combiner_methods(std::string_view list) {
  std::vector<std::string> methods;
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    const std::string part(list.substr(begin, end - begin));
    begin = end + 1;
    // "rescale=0" is an option more of the method before; "fixed:weights=1/2" is a method.
    const bool option = part.find('=') < part.find(':');
    if (option && !methods.empty())
      methods.back() += "," + part;
    else
      methods.push_back(part);
  }
  std::erase(methods, single_task);
  if (methods.empty())
    throw Error("\"{}\" names no method to compare with single-task models, as sum or kendall",
                list);
  for (const std::string& method : methods) make_combiner(method);
  return methods;
}

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
inline std::vector<Score> scores_of(const std::vector<Task>& tasks, const Predictions& found) {
  std::vector<Score> scores;
  for (const Task& task : tasks) {
    if (!found.predictions.contains(task.name)) continue;
    const std::vector<double> values = metrics_of(task, found);
    for (size_t i = 0; i < values.size(); ++i)
      scores.push_back({task.name, task.metrics[i].name, values[i],
                        task.metrics[i].higher_is_better ? Better::higher : Better::lower,
                        task.auxiliary});
  }
  return scores;
}

}  // namespace mtl::evaluate
