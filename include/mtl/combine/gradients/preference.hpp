#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <string_view>
#include <vector>

#include "mtl/combine/task_losses.hpp"
#include "mtl/core/error.hpp"

namespace mtl {

/// How much each task is wished to count: an option of several methods, by task of the registry.
class Preference {
 public:
  /// Empty: all alike. Error: all are zero; the text names `method`.
  Preference(std::vector<double> by_task, std::string_view method)
      : by_task_(std::move(by_task)), method_(method) {
    if (!by_task_.empty() &&
        std::all_of(by_task_.begin(), by_task_.end(), [](double entry) { return entry == 0; }))
      throw Error("combiner \"{}\": all entries of preference are 0, expected one that is not",
                  method_);
  }

  /// Error: it is for another number of tasks.
  void set_task_count(int64_t tasks) const {
    if (!by_task_.empty() && static_cast<int64_t>(by_task_.size()) != tasks)
      throw Error(
          "combiner \"{}\": preference has {} entries, but there are {} tasks; give one a task, in "
          "their order",
          method_, by_task_.size(), tasks);
  }

  /// Those of the tasks of a step, [P]; `alike` each where none is given.
  Eigen::VectorXd of(const TaskLosses& step, double alike) const {
    set_task_count(step.task_count);
    Eigen::VectorXd entries = Eigen::VectorXd::Constant(step.size(), alike);
    for (size_t i = 0; i < step.tasks.size() && !by_task_.empty(); ++i)
      entries[static_cast<Eigen::Index>(i)] = by_task_[static_cast<size_t>(step.tasks[i])];
    return entries;
  }
  /// The same with 1/P each where none is given.
  Eigen::VectorXd of(const TaskLosses& step) const {
    return of(step, 1.0 / static_cast<double>(step.size()));
  }

 private:
  std::vector<double> by_task_;
  std::string_view method_;
};

}  // namespace mtl
