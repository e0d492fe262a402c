#include "mtl/combine/gradient_combiner.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "by_task.hpp"
#include "engine/leaves.hpp"
#include "mtl/combine/task_gradients.hpp"
#include "mtl/core/error.hpp"

namespace mtl {
namespace {

bool same_tensors(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Tensor& x, const Tensor& y) { return x.is_same(y); });
}

bool same_lists(const Parameters& a, const Parameters& b) {
  return same_tensors(a.shared, b.shared) &&
         std::equal(a.by_task.begin(), a.by_task.end(), b.by_task.begin(), b.by_task.end(),
                    same_tensors);
}

using Seen = std::unordered_set<const at::TensorImpl*>;

// Appends to `all` what has not been seen.
void add_new(const std::vector<Tensor>& list, const std::string& name, Seen& seen,
             std::vector<Tensor>& all) {
  for (size_t i = 0; i < list.size(); ++i) {
    if (!list[i].defined()) throw Error("parameter {} of {} is an undefined tensor", i, name);
    if (seen.insert(list[i].unsafeGetTensorImpl()).second) all.push_back(list[i]);
  }
}

void check_losses(const TaskLosses& losses) {
  bool has_graph = false;
  for (size_t t = 0; t < losses.values.size(); ++t) {
    const Tensor& loss = losses.values[t];
    if (!loss.defined()) throw Error("task \"{}\": its loss is undefined", losses.names[t]);
    if (loss.numel() != 1)
      throw Error("task \"{}\": its loss has shape {}, expected one number", losses.names[t],
                  shape_text(loss));
    has_graph |= loss.requires_grad();
  }
  if (!has_graph)
    throw Error(
        "no loss of this step has a graph, so there is nothing to learn from; compute the losses "
        "from parameters that require gradients, outside of NoGradGuard");
}

}  // namespace

EngineCombiner::EngineCombiner(const GradientOptions& options) : gradient_options_(options) {
  if (options.every < 1)
    throw Error("every = {}: the weights are solved anew every n >= 1 steps", options.every);
}

void EngineCombiner::begin(const TaskLosses& losses, const Parameters& parameters) {
  check_losses(losses);
  const auto lists = static_cast<int64_t>(parameters.by_task.size());
  if (lists != 0 && lists != losses.task_count)
    throw Error(
        "parameters by task are given for {} tasks, but there are {}; give a list for each, in "
        "their order, or none at all",
        lists, losses.task_count);
  step_ = &losses;
  if (!same_lists(given_, parameters)) {
    Seen seen;
    std::vector<Tensor> shared, of_tasks;
    add_new(parameters.shared, "the shared ones", seen, shared);
    for (size_t t = 0; t < parameters.by_task.size(); ++t)
      add_new(parameters.by_task[t], "task " + std::to_string(t), seen, of_tasks);
    shared_ = std::move(shared);
    of_tasks_ = std::move(of_tasks);
    given_ = parameters;
  }
  EngineStep engine_step{losses.values, shared_, {}, {}};
  if (gradient_options_.at == GradientSite::representation) {
    if (!losses.representation.defined())
      throw Error(
          "the gradients were to be compared at the shared representation, but these losses have "
          "none; use GradientSite::shared_parameters, or give TaskLosses::representation");
    engine_step.representation = losses.representation;
  }
  engine_step.task_parameters.resize(losses.values.size());
  engine_step.task_parameters.front() = of_tasks_;  // the graph says which task reaches which
  if (parameters.by_task.empty()) {
    Seen seen;
    std::vector<Tensor> known;
    add_new(shared_, "the shared ones", seen, known);
    auto& others = engine_step.task_parameters.front();
    for (Tensor& leaf : engine::leaves(losses.values, engine_step.representation))
      if (seen.insert(leaf.unsafeGetTensorImpl()).second) others.push_back(std::move(leaf));
    if (engine_step.representation.defined())
      for (Tensor& leaf : engine::leaves({engine_step.representation}, {}))
        if (seen.insert(leaf.unsafeGetTensorImpl()).second)
          engine_step.shared.push_back(std::move(leaf));
  }
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

void GradientCombiner::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;  // no task has a label in this batch: nothing to learn
  begin(losses, parameters);
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

void DirectionCombiner::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;
  begin(losses, parameters);
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
