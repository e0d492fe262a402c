#pragma once

#include <Eigen/Core>

#include <string>
#include <utility>

#include "mtl/combine/solvers/vectors.hpp"
#include "mtl/combine/state/task_numbers.hpp"

namespace mtl {

/// A distribution over the tasks that begins even. A step deals anew what its tasks have together;
/// the shares of absent tasks stay.
class TaskShares {
 public:
  explicit TaskShares(std::string name) : numbers_(std::move(name), 1) {}

  /// Of the tasks of a step, [P]; their sum is 1 where no task is absent.
  Eigen::VectorXd present(const TaskLosses& step) {
    return solvers::divided(numbers_.present(step), static_cast<double>(step.task_count));
  }
  /// The same of sum 1, or of sum 0 where the tasks have nothing.
  Eigen::VectorXd among(const TaskLosses& step) {
    const Eigen::VectorXd shares = numbers_.present(step);
    const double part = shares.sum();
    return part > 0 ? solvers::divided(shares, part) : shares;
  }
  /// `shares` [P] of sum 1 say how what they have together is dealt.
  void deal(const TaskLosses& step, const Eigen::VectorXd& shares) {
    numbers_.keep(step, solvers::times(numbers_.present(step).sum(), shares));
  }

  /// T times the shares: for state_dict and set_task_count.
  TaskNumbers& numbers() { return numbers_; }
  const TaskNumbers& numbers() const { return numbers_; }

 private:
  TaskNumbers numbers_;
};

}  // namespace mtl
