// Loss combiners that learn their weights.
#include <algorithm>

#include "../by_task.hpp"
#include "mtl/combine/losses/famo.hpp"
#include "mtl/combine/losses/imtl_l.hpp"
#include "mtl/combine/losses/kendall_uncertainty.hpp"
#include "mtl/combine/losses/per_task.hpp"
#include "mtl/combine/losses/revised_uncertainty.hpp"
#include "mtl/core/error.hpp"

namespace mtl {

using Eigen::VectorXd;

KendallUncertainty::KendallUncertainty(TaskCount tasks, Options options)
    : form_(options.form), log_variance_("log_variance", tasks.value, options.log_variance) {}

Tensor KendallUncertainty::combine(const TaskLosses& losses) {
  return weigh(losses, log_variance_.present(losses));
}

Tensor KendallUncertainty::total(const TaskLosses& losses) const {
  return weigh(losses, log_variance_.values(losses));
}

Tensor KendallUncertainty::weigh(const TaskLosses& losses, const Tensor& s) const {
  std::vector<double> factors;
  for (size_t i = 0; i < losses.values.size(); ++i)
    factors.push_back(form_ == Form::by_kind && losses.kind(i) == LossKind::classification ? 1.0
                                                                                           : 0.5);
  if (std::all_of(factors.begin(), factors.end(), [](double factor) { return factor == 0.5; }))
    return (stacked(losses).dot((-s).exp()) + s.sum()) * 0.5;
  return torch::add(
      stacked(losses).dot((-s).exp() * torch::tensor(factors, s.options().requires_grad(false))),
      s.sum(), 0.5);
}

RevisedUncertainty::RevisedUncertainty(TaskCount tasks)
    : log_variance_("log_variance", tasks.value, 0.0) {}

Tensor RevisedUncertainty::combine(const TaskLosses& losses) {
  return weigh(losses, log_variance_.present(losses));
}

Tensor RevisedUncertainty::total(const TaskLosses& losses) const {
  return weigh(losses, log_variance_.values(losses));
}

Tensor RevisedUncertainty::weigh(const TaskLosses& losses, const Tensor& s) {
  return torch::add(torch::softplus(s).sum(), stacked(losses).dot((-s).exp()), 0.5);
}

ImtlL::ImtlL(TaskCount tasks) : log_scale_("log_scale", tasks.value, 0.0) {}

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
