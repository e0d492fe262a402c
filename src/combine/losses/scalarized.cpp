// Loss combiners that are a function of the losses of one step.
#include "mtl/combine/losses/cosmos.hpp"
#include "mtl/combine/losses/geometric_mean.hpp"
#include "mtl/combine/losses/log_sum.hpp"
#include "mtl/combine/losses/pbi.hpp"
#include "mtl/combine/losses/per_task.hpp"
#include "mtl/combine/losses/stch.hpp"
#include "mtl/core/error.hpp"

namespace mtl {
namespace {

/// The given weights of the present tasks, or 1 / T for each.
Tensor weights_or_equal(const Tensor& weights, const TaskLosses& losses) {
  if (weights.defined()) return present(weights, losses, "weights");
  return torch::full({losses.size()}, 1.0 / static_cast<double>(losses.task_count),
                     losses.values.front().options().requires_grad(false));
}

Tensor beyond_reference(const Tensor& reference, const TaskLosses& losses) {
  const Tensor values = stacked(losses);
  return reference.defined() ? values - present(reference, losses, "reference losses") : values;
}

}  // namespace

Tensor GeometricMean::combine(const TaskLosses& losses) {
  check_positive(losses, "the geometric mean");
  return total(losses);
}

Tensor GeometricMean::total(const TaskLosses& losses) const {
  return stacked(losses).log().mean().exp();
}

Tensor LogSum::combine(const TaskLosses& losses) {
  check_positive(losses, "the sum of logarithms");
  return total(losses);
}

Tensor LogSum::total(const TaskLosses& losses) const { return stacked(losses).log().sum(); }

Stch::Stch(Options options)
    : options_(std::move(options)),
      weights_(option_tensor(options_.weights, "Stch: weights")),
      reference_(option_tensor(options_.reference, "Stch: reference")) {
  if (!(options_.mu > 0)) throw Error("Stch: mu is {}, expected a positive number", options_.mu);
  if (options_.warm_up_epochs < 0) {
    throw Error("Stch: warm_up_epochs is {}, expected at least 0", options_.warm_up_epochs);
  }
}

Tensor Stch::combine(const TaskLosses& losses) {
  if (options_.warm_up_epochs == 0) return total(losses);
  check_positive(losses, "the warm-up of Stch");
  const Tensor values = stacked(losses);
  if (epoch_ <= options_.warm_up_epochs) {
    if (epoch_ == options_.warm_up_epochs) {
      if (!sum_.defined()) {
        sum_ = torch::zeros({losses.task_count}, values.options().requires_grad(false));
        steps_ = torch::zeros_like(sum_);
      }
      const Tensor tasks = torch::tensor(losses.tasks).to(values.device());
      sum_.index_add_(0, tasks, values.detach());
      steps_.index_add_(0, tasks, torch::ones_like(values));
    }
    return values.log().sum();
  }
  // A task that had no label in the averaging epoch has no nadir; 1 leaves its loss as it is.
  const Tensor nadir = torch::where(steps_.gt(0), sum_ / steps_, torch::ones_like(sum_));
  const Tensor relative = (values / present(nadir, losses, "nadir losses")).log();
  const double factor = static_cast<double>(losses.task_count) * options_.mu;
  return (relative / options_.mu).logsumexp(0) * factor;
}

Tensor Stch::total(const TaskLosses& losses) const {
  if (options_.warm_up_epochs > 0) return LossCombiner::total(losses);
  const Tensor distance = beyond_reference(reference_, losses);
  return (distance * weights_or_equal(weights_, losses) / options_.mu).logsumexp(0) * options_.mu;
}

void Stch::end_epoch() { ++epoch_; }

NamedTensors Stch::state_dict() const {
  NamedTensors state;
  if (options_.warm_up_epochs == 0) return state;
  state.insert("epoch", torch::tensor(epoch_));
  if (sum_.defined()) {
    state.insert("sum", sum_);
    state.insert("steps", steps_);
  }
  return state;
}

void Stch::load_state_dict(const NamedTensors& state) {
  if (options_.warm_up_epochs == 0) return LossCombiner::load_state_dict(state);
  epoch_ = state_entry(state, "epoch").item<int64_t>();
  sum_ = steps_ = Tensor();
  if (!state.contains("sum")) return;
  sum_ = state_entry(state, "sum").clone();
  steps_ = state_entry(state, "steps").clone();
}

Cosmos::Cosmos(Options options)
    : options_(std::move(options)), weights_(option_tensor(options_.weights, "Cosmos: weights")) {}

Tensor Cosmos::combine(const TaskLosses& losses) { return total(losses); }

Tensor Cosmos::total(const TaskLosses& losses) const {
  const Tensor values = stacked(losses);
  const Tensor weights = weights_or_equal(weights_, losses);
  const Tensor product = values.dot(weights);
  return product - options_.lambda * product / (values.norm() * weights.norm());
}

Pbi::Pbi(Options options)
    : options_(std::move(options)),
      weights_(option_tensor(options_.weights, "Pbi: weights")),
      reference_(option_tensor(options_.reference, "Pbi: reference")) {
  if (!(options_.theta >= 0)) throw Error("Pbi: theta is {}, expected at least 0", options_.theta);
}

Tensor Pbi::combine(const TaskLosses& losses) { return total(losses); }

Tensor Pbi::total(const TaskLosses& losses) const {
  const Tensor weights = weights_or_equal(weights_, losses);
  const Tensor ray = weights / weights.norm();
  const Tensor distance = beyond_reference(reference_, losses);
  const Tensor along = distance.dot(ray);
  return along + options_.theta * (distance - along * ray).norm();
}

}  // namespace mtl
