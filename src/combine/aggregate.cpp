#include "mtl/combine/aggregate.hpp"

#include "mtl/combine/direction_combiner.hpp"
#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/task_gradients.hpp"
#include "mtl/core/error.hpp"

namespace mtl {
namespace {

Eigen::VectorXd weights_for_equal_losses(LossCombiner& combiner, size_t tasks) {
  std::vector<Tensor> losses(tasks);
  for (Tensor& loss : losses) loss = torch::ones({}, torch::kDouble).requires_grad_();
  return loss_weights(combiner.combine(task_losses(losses)), losses);
}

}  // namespace

Tensor aggregate(Combiner& combiner, const Tensor& jacobian) {
  if (jacobian.dim() != 2 || jacobian.size(0) < 1 || !jacobian.is_floating_point())
    throw Error(
        "aggregate: found a Jacobian {}, expected [T, P] of real numbers with T >= 1 rows, "
        "one a task",
        shape_text(jacobian));
  const Rows rows = rows_of(jacobian);
  const TaskLosses step = unknown_losses(jacobian.size(0));
  std::vector<Tensor> direction;
  if (auto* by_gramian = dynamic_cast<GradientCombiner*>(&combiner)) {
    direction = weighted_sum(
        rows, by_gramian->solve(step, gramian(rows), [&](const Eigen::MatrixXd& combinations) {
          return gramian_of(rows, combinations);
        }));
  } else if (auto* by_rows = dynamic_cast<DirectionCombiner*>(&combiner)) {
    direction = by_rows->solve(step, rows).by_parameter;
  } else if (auto* by_loss = dynamic_cast<LossCombiner*>(&combiner)) {
    require_finite(norms(rows), step.names);
    direction = weighted_sum(rows, weights_for_equal_losses(*by_loss, step.values.size()));
  } else {
    throw Error(
        "aggregate: this combiner looks at losses on several parameters; a Jacobian does not tell "
        "them");
  }
  return direction.front().defined() ? direction.front()
                                     : torch::zeros({jacobian.size(1)}, jacobian.options());
}

}  // namespace mtl
