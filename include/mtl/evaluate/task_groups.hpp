#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <vector>

#include "mtl/core/error.hpp"

namespace mtl::evaluate {

/// Which tasks share a model, and what the affinities promise of it.
struct TaskGroups {
  std::vector<std::vector<int64_t>> groups;  ///< tasks by number; each task in one
  double gain = 0;  ///< mean over the tasks of what the others of their group do for them
};

/// The best way to divide T tasks among at most `models` models, by affinities [T, T] such as those
/// of task_affinity or of a table of joint runs: entry (i, j) is what task i does for task j,
/// positive where it helps. A task gains the mean of what the others of its group do for it, a task
/// alone nothing. All divisions are considered, up to 15 tasks; entries that are NaN count as 0.
/// Error: affinities that are no square matrix, or infinite; no model; more than 15 tasks.
TaskGroups task_groups(const Eigen::MatrixXd& affinity, int64_t models);

}  // namespace mtl::evaluate
