#include "mtl/combine/direction_combiner.hpp"

#include <algorithm>

#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/task_gradients.hpp"
#include "mtl/core/error.hpp"

namespace mtl {

Direction DirectionCombiner::direction_of(const TaskLosses&, const Rows& rows) {
  return direction(rows);
}

Direction DirectionCombiner::solve(const TaskLosses& step, const Rows& rows) {
  if (rows.empty())  // nothing is shared: nothing to find a direction of
    return {{}, Eigen::VectorXd::Ones(step.size())};
  require_finite(norms(rows), step.names);
  Direction chosen = direction_of(step, rows);
  if (chosen.by_parameter.size() != rows.size() || chosen.head_weights.size() != step.size())
    throw Error("a combiner gave a direction of {} tensors and {} head weights, expected {} and {}",
                chosen.by_parameter.size(), chosen.head_weights.size(), rows.size(), step.size());
  Rows single(rows.size(), std::vector<Tensor>(1));
  for (size_t p = 0; p < rows.size(); ++p) {
    Tensor& part = chosen.by_parameter[p];
    if (!part.defined()) continue;
    const auto row = std::find_if(rows[p].begin(), rows[p].end(),
                                  [](const Tensor& tensor) { return tensor.defined(); });
    if (row != rows[p].end() && row->sizes() != part.sizes())
      throw Error("a combiner gave parameter {} a direction {}, expected {}", p, shape_text(part),
                  shape_text(*row));
    // A gradient is of its parameter's type, and has no graph.
    if (row != rows[p].end()) part = part.to(row->scalar_type());
    part = part.detach();
    single[p].front() = part;
  }
  if (!chosen.head_weights.allFinite() || !norms(single).allFinite())
    throw Error("a combiner gave a direction or head weights that hold NaN or infinity");
  return chosen;
}

void DirectionCombiner::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;  // no task has a label in this batch: nothing to learn
  require_finite_losses(losses, "");
  engine_.begin(losses, parameters, at_);
  struct StepGuard {
    Engine& engine;
    ~StepGuard() { engine.end(); }
  } const guard{engine_};
  Direction chosen = solve(losses, engine_.rows());
  if (step_reports()) make_report(losses, engine_.gramian(), chosen.head_weights);
  engine_.write_direction(std::move(chosen.by_parameter), chosen.head_weights);
}

}  // namespace mtl
