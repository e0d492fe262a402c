#pragma once

#include <Eigen/Core>

#include <functional>
#include <string_view>
#include <vector>

#include "mtl/combine/parameters.hpp"
#include "mtl/combine/task_losses.hpp"
#include "mtl/core/tensor.hpp"

/// What the bilevel combiners do with a model: try it at other parameters and put it back.
namespace mtl::combine_detail {

/// A model that is tried at other parameters. Parameters and buffers come back bit for bit when
/// this ends, also by an exception. Autograd does not notice: a graph made before is good again
/// afterwards.
class Trial {
 public:
  /// Of the parameters that learn: those given or, where no list by task is, those that the losses
  /// reach.
  Trial(const TaskLosses& losses, const Parameters& parameters);
  ~Trial() { restore(); }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  const std::vector<Tensor>& parameters() const { return parameters_; }
  /// parameters += factor * direction; undefined parts are zero.
  void move(const std::vector<Tensor>& direction, double factor);
  void restore();
  /// Adds a direction to .grad, as backward() would.
  void accumulate(const std::vector<Tensor>& direction) const;

 private:
  std::vector<Tensor> parameters_;
  std::vector<Tensor> tensors_, values_;  // parameters and buffers, and what they were
};

/// Error: losses or parameters that are no step, before anything is changed. FaultyStep naming the
/// task whose loss is not finite.
void check_step(const TaskLosses& losses, const Parameters& parameters);

/// The losses of the step's batch on the parameters of now. Error: the step cannot say; they are of
/// other tasks, or without a graph though one is recorded.
TaskLosses again(const TaskLosses& step, std::string_view combiner);

/// The losses of `source` or, where it is empty, of another batch; none where none of their tasks
/// learns. Error: there is neither, or they are of another number of tasks, or without a graph.
/// FaultyStep: a loss is not finite.
TaskLosses validation_losses(const std::function<TaskLosses()>& source, const TaskLosses& step,
                             std::string_view combiner);

/// The losses as numbers, [P]. FaultyStep naming the task whose loss is not finite.
Eigen::VectorXd finite_values(const TaskLosses& losses, std::string_view where);

/// sum_t w_t l_t, scalar with graph.
Tensor weighted(const TaskLosses& losses, const Eigen::VectorXd& weights);

/// Its gradient by parameter; undefined where it reaches none. Keeps the graph if told to.
enum class Graph { keep, free };
std::vector<Tensor> gradient(const TaskLosses& losses, const Eigen::VectorXd& weights,
                             const std::vector<Tensor>& parameters, Graph graph);

/// How the losses change along `direction`, [P]: differences over .01 of its length, both sides
/// with the same dropout.
Eigen::VectorXd slopes_along(const std::vector<Tensor>& direction, double length,
                             const TaskLosses& losses, Trial& trial, std::string_view combiner);

/// <a, b> of two gradients by parameter.
double product(const std::vector<Tensor>& a, const std::vector<Tensor>& b);

/// Factors that bring rows of these squared lengths to length 1; a zero row stays.
Eigen::VectorXd to_unit_length(const Eigen::VectorXd& squared_lengths);

}  // namespace mtl::combine_detail
