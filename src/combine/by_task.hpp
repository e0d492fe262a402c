#pragma once

#include <Eigen/Core>
#include <cmath>
#include <string_view>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/state/task_numbers.hpp"
#include "mtl/core/error.hpp"

namespace mtl {

/// The entries of the rows a method sees out of an option that is given by task of the registry;
/// `otherwise` each where it is empty. Error: it is for another number of tasks.
inline Eigen::VectorXd of_rows(const std::vector<double>& by_task, const TaskLosses& step,
                               const std::vector<int64_t>& rows, double otherwise,
                               std::string_view what) {
  const auto count = static_cast<Eigen::Index>(rows.size());
  if (by_task.empty()) return Eigen::VectorXd::Constant(count, otherwise);
  if (static_cast<int64_t>(by_task.size()) != step.task_count)
    throw Error("{} has {} entries, but there are {} tasks; give one a task, in their order", what,
                by_task.size(), step.task_count);
  Eigen::VectorXd entries(count);
  for (Eigen::Index i = 0; i < count; ++i)
    entries[i] =
        by_task[static_cast<size_t>(step.tasks[static_cast<size_t>(rows[static_cast<size_t>(i)])])];
  return entries;
}

/// Registry indices of the rows a method sees.
inline std::vector<int64_t> registry_indices(const TaskLosses& step,
                                             const std::vector<int64_t>& rows) {
  std::vector<int64_t> indices;
  indices.reserve(rows.size());
  for (int64_t row : rows) indices.push_back(step.tasks[static_cast<size_t>(row)]);
  return indices;
}

/// State by task of the registry, grown to the number of tasks when it is first known.
/// Error: state of another number of tasks, as from another run's checkpoint.
inline void size_to(Eigen::VectorXd& by_task, int64_t tasks, double start, std::string_view what) {
  if (by_task.size() == 0) by_task.setConstant(tasks, start);
  if (by_task.size() != tasks)
    throw Error("{} is kept for {} tasks, but there are {}", what, by_task.size(), tasks);
}

/// Error: an entry, one a row of the step, that is not finite; the row is named by its task.
/// `gradients` are the rows' norms or their squares, which a bad element spoils.
inline void require_finite(const Eigen::VectorXd& gradients, const TaskLosses& step) {
  for (Eigen::Index t = 0; t < gradients.size(); ++t)
    if (!std::isfinite(gradients[t]))
      throw Error("task \"{}\": its gradient holds NaN or infinity",
                  step.names[static_cast<size_t>(t)]);
}

/// A double matrix or vector as a tensor, and back.
inline Tensor to_tensor(const Eigen::VectorXd& values) {
  Tensor tensor = torch::empty({values.size()}, torch::kDouble);
  std::copy(values.begin(), values.end(), tensor.data_ptr<double>());
  return tensor;
}
inline Eigen::VectorXd to_vector(const Tensor& tensor) {
  const Tensor values = tensor.detach().to(torch::kCPU, torch::kDouble).contiguous();
  return Eigen::Map<const Eigen::VectorXd>(values.data_ptr<double>(), values.numel());
}

inline void require(bool holds, std::string_view combiner, std::string_view option, double value,
                    std::string_view expected) {
  if (!holds) throw Error("{}: {} is {}, expected {}", combiner, option, value, expected);
}

}  // namespace mtl
