#include "mtl/combine/gradient_combiner.hpp"

#include <utility>

#include "by_task.hpp"
#include "mtl/core/error.hpp"
#include "mtl/sharing/model.hpp"
#include "task_gradients.hpp"

namespace mtl {
namespace {

bool same_object(const std::weak_ptr<torch::nn::Module>& a,
                 const std::weak_ptr<torch::nn::Module>& b) {
  return !a.expired() && !a.owner_before(b) && !b.owner_before(a);
}

}  // namespace

EngineCombiner::EngineCombiner(const GradientOptions& options) : gradient_options_(options) {
  if (options.every < 1)
    throw Error("every = {}: the weights are solved anew every n >= 1 steps", options.every);
}

void EngineCombiner::begin(const TaskLosses& losses, Model& model) {
  step_ = &losses;
  std::weak_ptr<torch::nn::Module> now = model.weak_from_this();
  if (!same_object(model_, now)) {
    shared_ = model.shared_parameters();
    by_task_.clear();
    for (const Task& task : model.tasks()) by_task_.push_back(model.task_parameters(task.name));
    model_ = now;
  }
  EngineStep engine_step{losses.values, shared_, {}, {}};
  if (gradient_options_.at == GradientSite::representation) {
    if (!losses.representation.defined())
      throw Error(
          "the gradients were to be compared at the shared representation, but this model has no "
          "such tensor;"
          " use GradientSite::shared_parameters");
    engine_step.representation = losses.representation;
  }
  engine_step.task_parameters.reserve(losses.tasks.size());
  for (int64_t task : losses.tasks)
    engine_step.task_parameters.push_back(by_task_[static_cast<size_t>(task)]);
  engine_.begin(std::move(engine_step));
}

Eigen::VectorXd GradientCombiner::solve(const Eigen::MatrixXd& gramian) {
  const Eigen::Index count = gramian.rows();
  active_.clear();
  stationary_ = false;
  // The diagonal: a bad row spoils its products with all others.
  require_finite(gramian.diagonal(), step());
  for (Eigen::Index t = 0; t < count; ++t)
    if (gramian(t, t) > 0 || keeps_zero_rows()) active_.push_back(t);
  if (active_.empty()) {
    stationary_ = true;
    return Eigen::VectorXd::Zero(count);
  }
  if (static_cast<Eigen::Index>(active_.size()) == count) return weights(gramian);
  const Eigen::VectorXd of_active = weights(gramian(active_, active_));
  Eigen::VectorXd all = Eigen::VectorXd::Zero(count);
  all(active_) = of_active;
  return all;
}

void GradientCombiner::backward(const TaskLosses& losses, Model& model) {
  if (losses.size() == 0) return;  // no task has a label in this batch: nothing to learn
  begin(losses, model);
  const bool reports = step_reports();
  Eigen::VectorXd chosen(losses.size());
  if (steps_until_solve_ > 0) {
    for (int64_t t = 0; t < losses.size(); ++t)
      chosen[t] = kept_weights_[losses.tasks[static_cast<size_t>(t)]];
    --steps_until_solve_;
  } else {
    chosen = solve(engine().gramian());
    if (gradient_options_.every > 1) {
      // A task that is absent now keeps its last weight, or counts like the others until it has
      // one.
      if (kept_weights_.size() != losses.task_count)
        kept_weights_.setConstant(losses.task_count, chosen.mean());
      for (int64_t t = 0; t < losses.size(); ++t)
        kept_weights_[losses.tasks[static_cast<size_t>(t)]] = chosen[t];
      steps_until_solve_ = gradient_options_.every - 1;
    }
  }
  if (reports) make_report(losses, engine().gramian(), chosen, stationary_);
  engine().write_gradients(chosen, heads());
}

void DirectionCombiner::backward(const TaskLosses& losses, Model& model) {
  if (losses.size() == 0) return;
  begin(losses, model);
  const Rows& rows = engine().rows();
  require_finite(norms(rows), losses);
  Direction chosen = direction(rows);
  if (step_reports()) make_report(losses, engine().gramian(), chosen.head_weights);
  engine().write_direction(std::move(chosen.by_parameter), chosen.head_weights);
}

Tensor aggregate(Combiner& combiner, const Tensor& jacobian) {
  if (jacobian.dim() != 2 || jacobian.size(0) < 1)
    throw Error("aggregate: found a Jacobian {}, expected [T, P] with T >= 1 rows, one a task",
                shape_text(jacobian));
  const Rows rows = rows_of(jacobian);
  auto* base = dynamic_cast<EngineCombiner*>(&combiner);
  if (base == nullptr) {
    auto* by_loss = dynamic_cast<LossCombiner*>(&combiner);
    if (by_loss == nullptr)
      throw Error(
          "aggregate: this combiner looks at losses on several parameters; a Jacobian does not "
          "tell "
          "them");
    std::vector<Tensor> losses(static_cast<size_t>(jacobian.size(0)));
    for (Tensor& loss : losses) loss = torch::ones({}, torch::kDouble).requires_grad_();
    const Eigen::VectorXd weights = loss_weights(by_loss->combine(task_losses(losses)), losses);
    require_finite(norms(rows), task_losses(losses));
    const std::vector<Tensor> direction = weighted_sum(rows, weights);
    return direction.front().defined() ? direction.front()
                                       : torch::zeros({jacobian.size(1)}, jacobian.options());
  }
  // The losses' values are unknown here; methods that need them say so.
  const TaskLosses step = task_losses(std::vector<Tensor>(static_cast<size_t>(jacobian.size(0))));
  base->step_ = &step;
  std::vector<Tensor> direction;
  if (auto* by_gramian = dynamic_cast<GradientCombiner*>(&combiner)) {
    direction = weighted_sum(rows, by_gramian->solve(gramian(rows)));
  } else {
    require_finite(norms(rows), step);
    direction = dynamic_cast<DirectionCombiner&>(combiner).direction(rows).by_parameter;
  }
  base->step_ = nullptr;
  return direction.front().defined() ? direction.front()
                                     : torch::zeros({jacobian.size(1)}, jacobian.options());
}

}  // namespace mtl
