#pragma once

#include <cstdint>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/task/registry.hpp"

namespace mtl {

/// Scalars as numbers. On the CPU they are read where they lie, which costs nothing; from a device
/// they come together, with one wait.
std::vector<double> numbers_of(const std::vector<Tensor>& scalars);

/// What a LossMeter needs to know: the losses' values, then the weights of those that have one.
std::vector<Tensor> loss_scalars(const TaskLosses& losses);

/// The mean loss of each task over an epoch: `sum(value * weight) / sum(weight)`, which does not
/// depend on how samples fall into batches.
class LossMeter {
 public:
  explicit LossMeter(int64_t tasks)
      : sums_(static_cast<size_t>(tasks)), weights_(static_cast<size_t>(tasks)) {}

  /// `numbers`: numbers_of(loss_scalars(losses)).
  void add(const TaskLosses& losses, const std::vector<double>& numbers);

  /// By task; NaN for a task without any label.
  std::vector<double> means() const;

  /// All that it has seen as one tensor, and back.
  Tensor saved() const;  // [2, tasks]
  void load(const Tensor& saved);

 private:
  std::vector<double> sums_, weights_;
};

/// The position of the first number that is NaN or infinite; -1: there is none.
int64_t first_not_finite(const std::vector<double>& numbers);

/// The combiner's one number for the mean losses of an epoch, or their sum without a combiner;
/// tasks with NaN and auxiliary ones are left out.
double total_of(Combiner* combiner, const TaskRegistry& tasks, const std::vector<double>& losses);

}  // namespace mtl
