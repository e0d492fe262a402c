// Loss combiners that learn their weights.
#include "mtl/combine/losses/famo.hpp"
#include "mtl/combine/losses/imtl_l.hpp"
#include "mtl/combine/losses/kendall_uncertainty.hpp"
#include "mtl/combine/losses/per_task.hpp"
#include "mtl/combine/losses/revised_uncertainty.hpp"
#include "mtl/core/error.hpp"

namespace mtl {

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
      min_losses_(option_tensor(options_.min_losses, "Famo: min_losses")) {
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
  if (!logits_.defined()) {
    const auto options = losses.values.front().options().dtype(torch::kDouble).requires_grad(false);
    logits_ = torch::zeros({losses.task_count}, options);
    mean_ = torch::zeros_like(logits_);
    square_ = torch::zeros_like(logits_);
    steps_ = torch::zeros_like(logits_);
  }
  const Tensor p = present(logits_, losses, "logits").softmax(0);
  const Tensor distance = distances(losses);
  const Tensor log_distance = distance.log();
  const Tensor scale = 1 / (p / distance.detach()).sum();
  log_distances_ = log_distance.detach();
  return log_distance.dot(p * scale);
}

void Famo::after_step(const TaskLosses& losses_after) {
  if (!log_distances_) throw Error("Famo: after_step() without a step before it");
  const torch::NoGradGuard no_grad;
  const Tensor tasks = torch::tensor(losses_after.tasks).to(logits_.device());
  const Tensor delta = (*log_distances_ - distances(losses_after).log()).to(logits_.scalar_type());
  log_distances_.reset();
  const Tensor w = logits_.index_select(0, tasks);
  const Tensor p = w.softmax(0);
  const Tensor gradient = p * (delta - p.dot(delta)) + options_.weight_decay * w;

  // Adam, entry by entry: an absent task's moments stay as they are.
  const Tensor steps = steps_.index_select(0, tasks) + 1;
  const Tensor mean = mean_.index_select(0, tasks).lerp(gradient, 1 - 0.9);
  const Tensor square = square_.index_select(0, tasks) * 0.999 + gradient.square() * (1 - 0.999);
  const Tensor unbiased_mean = mean / (1 - torch::pow(0.9, steps));
  const Tensor unbiased_square = square / (1 - torch::pow(0.999, steps));
  logits_.index_copy_(0, tasks, w - options_.lr * unbiased_mean / (unbiased_square.sqrt() + 1e-8));
  steps_.index_copy_(0, tasks, steps);
  mean_.index_copy_(0, tasks, mean);
  square_.index_copy_(0, tasks, square);
}

NamedTensors Famo::state_dict() const {
  NamedTensors state;
  if (!logits_.defined()) return state;
  state.insert("logits", logits_);
  state.insert("mean", mean_);
  state.insert("square", square_);
  state.insert("steps", steps_);
  return state;
}

void Famo::load_state_dict(const NamedTensors& state) {
  log_distances_.reset();
  if (state.is_empty()) {
    logits_ = mean_ = square_ = steps_ = Tensor();
    return;
  }
  logits_ = state_entry(state, "logits").clone();
  mean_ = state_entry(state, "mean").clone();
  square_ = state_entry(state, "square").clone();
  steps_ = state_entry(state, "steps").clone();
}

}  // namespace mtl
