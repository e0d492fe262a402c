// Loss combiners that learn their weights.
#include "../by_task.hpp"
#include "mtl/combine/losses/famo.hpp"
#include "mtl/combine/losses/imtl_l.hpp"
#include "mtl/combine/losses/kendall_uncertainty.hpp"
#include "mtl/combine/losses/per_task.hpp"
#include "mtl/combine/losses/revised_uncertainty.hpp"
#include "mtl/core/error.hpp"

namespace mtl {

using Eigen::VectorXd;

KendallUncertainty::KendallUncertainty(const TaskRegistry& tasks, Options options)
    : log_variance_("log_variance", tasks.size(), options.log_variance) {
  if (options.form == Form::every_task_as_regression || tasks.empty()) return;
  std::vector<double> factors;
  for (const Task& task : tasks) {
    factors.push_back(task.loss.kind() == LossKind::regression ? 0.5 : 1.0);
  }
  factors_ = torch::tensor(factors, torch::kDouble);
}

Tensor KendallUncertainty::combine(const TaskLosses& losses) {
  return weigh(losses, log_variance_.present(losses));
}

Tensor KendallUncertainty::total(const TaskLosses& losses) const {
  return weigh(losses, log_variance_.values(losses));
}

Tensor KendallUncertainty::weigh(const TaskLosses& losses, const Tensor& s) const {
  if (!factors_.defined()) return (stacked(losses).dot((-s).exp()) + s.sum()) * 0.5;
  const Tensor factors = present(factors_, losses, "tasks in the combiner");
  return torch::add(stacked(losses).dot((-s).exp() * factors), s.sum(), 0.5);
}

RevisedUncertainty::RevisedUncertainty(const TaskRegistry& tasks)
    : log_variance_("log_variance", tasks.size(), 0.0) {}

Tensor RevisedUncertainty::combine(const TaskLosses& losses) {
  return weigh(losses, log_variance_.present(losses));
}

Tensor RevisedUncertainty::total(const TaskLosses& losses) const {
  return weigh(losses, log_variance_.values(losses));
}

Tensor RevisedUncertainty::weigh(const TaskLosses& losses, const Tensor& s) {
  return torch::add(torch::softplus(s).sum(), stacked(losses).dot((-s).exp()), 0.5);
}

ImtlL::ImtlL(const TaskRegistry& tasks) : log_scale_("log_scale", tasks.size(), 0.0) {}

Tensor ImtlL::combine(const TaskLosses& losses) {
  return weigh(losses, log_scale_.present(losses));
}

Tensor ImtlL::total(const TaskLosses& losses) const {
  return weigh(losses, log_scale_.values(losses));
}

Tensor ImtlL::weigh(const TaskLosses& losses, const Tensor& s) {
  return stacked(losses).dot(s.exp()) - s.sum();
}

Famo::Famo(Options options)
    : options_(std::move(options)),
      min_losses_(option_tensor(options_.min_losses, "Famo: min_losses")),
      logits_(0, options_.lr) {
  if (!(options_.lr > 0)) throw Error("Famo: lr is {}, expected a positive number", options_.lr);
  if (!(options_.weight_decay >= 0)) {
    throw Error("Famo: weight_decay is {}, expected at least 0", options_.weight_decay);
  }
}

Tensor Famo::distances(const TaskLosses& losses) const {
  const Tensor values = stacked(losses);
  if (!min_losses_.defined()) return values + 1e-8;
  return values - present(min_losses_, losses, "min_losses") + 1e-8;
}

Tensor Famo::combine(const TaskLosses& losses) {
  const Tensor distance = distances(losses);
  const VectorXd d = to_vector(distance);
  const VectorXd p = softmax(logits_.present(losses));
  tasks_ = losses.tasks;
  log_distances_ = d.array().log();
  const VectorXd weights = p / p.cwiseQuotient(d).sum();
  return distance.log().dot(to_tensor(weights).to(distance.options().requires_grad(false)));
}

void Famo::after_step(const TaskLosses& losses_after) {
  if (tasks_.empty()) throw Error("Famo: after_step() without a step before it");
  if (losses_after.tasks != tasks_) {
    throw Error(
        "Famo: after_step() has losses of {} tasks, the step before it had {}; it takes the same "
        "batch again",
        losses_after.size(), tasks_.size());
  }
  tasks_.clear();
  const torch::NoGradGuard no_grad;
  const VectorXd log_after = to_vector(distances(losses_after)).array().log();
  const VectorXd w = logits_.present(losses_after);
  logits_.descend(losses_after, through_softmax(softmax(w), log_distances_ - log_after) +
                                    options_.weight_decay * w);
}

NamedTensors Famo::state_dict() const { return logits_.state_dict(); }

void Famo::load_state_dict(const NamedTensors& state) {
  tasks_.clear();
  logits_.load_state_dict(state);
}

}  // namespace mtl
