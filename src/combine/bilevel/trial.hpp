#pragma once

#include <Eigen/Core>
#include <functional>
#include <string_view>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/engine/rows.hpp"
#include "mtl/combine/parameters.hpp"

namespace mtl {

/// A model that is tried at other parameters. Parameters and buffers come back bit for bit when
/// this ends, also by an exception. Autograd does not notice: a graph made before is good again
/// afterwards.
class Trial {
 public:
  explicit Trial(const Parameters& parameters);
  ~Trial();
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  /// The parameters that learn.
  const std::vector<Tensor>& parameters() const { return parameters_; }
  /// parameters += factor * direction; undefined parts are zero.
  void move(const std::vector<Tensor>& direction, double factor);
  void restore();

 private:
  std::vector<Tensor> parameters_;
  std::vector<Tensor> tensors_, values_;  // parameters and buffers, and what they were
};

/// The losses of the step's batch on the parameters of now. Error: the step cannot say; they are of
/// other tasks.
TaskLosses again(const TaskLosses& step, std::string_view combiner);

/// The losses of `source` or, where it is empty, of another batch. Error: there is neither; a loss
/// is not finite.
TaskLosses validation_losses(const std::function<TaskLosses()>& source, const TaskLosses& step,
                             std::string_view combiner);

/// The losses as numbers, [P]. Error naming the task whose loss is not finite.
Eigen::VectorXd finite_values(const TaskLosses& losses, std::string_view where);

/// sum_t w_t l_t, scalar with graph.
Tensor weighted(const TaskLosses& losses, const Eigen::VectorXd& weights);

/// Its gradient by parameter; undefined where it reaches none. Keeps the graph if told to.
enum class Graph { keep, free };
std::vector<Tensor> gradient(const TaskLosses& losses, const Eigen::VectorXd& weights,
                             const std::vector<Tensor>& parameters, Graph graph);

/// <a, b> of two gradients by parameter.
double product(const std::vector<Tensor>& a, const std::vector<Tensor>& b);

}  // namespace mtl
