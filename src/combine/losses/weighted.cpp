// Loss combiners whose weights are given, drawn, or follow from earlier epochs.
#include "mtl/combine/losses/dynamic_weight_average.hpp"
#include "mtl/combine/losses/fixed_weights.hpp"
#include "mtl/combine/losses/mean.hpp"
#include "mtl/combine/losses/per_task.hpp"
#include "mtl/combine/losses/random_loss_weighting.hpp"
#include "mtl/combine/losses/sum.hpp"
#include "mtl/core/error.hpp"

namespace mtl {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

Tensor Sum::combine(const TaskLosses& losses) { return stacked(losses).sum(); }

Tensor Mean::combine(const TaskLosses& losses) { return total(losses); }

Tensor Mean::total(const TaskLosses& losses) const { return stacked(losses).mean(); }

FixedWeights::FixedWeights(const std::vector<double>& weights)
    : weights_(option_tensor(weights, "FixedWeights: weights")) {
  if (weights.empty()) throw Error("FixedWeights: no weight is given, expected one a task");
}

Tensor FixedWeights::combine(const TaskLosses& losses) { return total(losses); }

Tensor FixedWeights::total(const TaskLosses& losses) const {
  return stacked(losses).dot(present(weights_, losses, "fixed weights"));
}

DynamicWeightAverage::DynamicWeightAverage(Options options) : options_(options) {
  if (!(options_.temperature > 0)) {
    throw Error("DynamicWeightAverage: temperature is {}, expected a positive number",
                options_.temperature);
  }
}

Tensor DynamicWeightAverage::combine(const TaskLosses& losses) {
  const Tensor values = stacked(losses);
  if (!sum_.defined()) {
    const auto options = values.options().requires_grad(false);
    sum_ = torch::zeros({losses.task_count}, options);
    steps_ = torch::zeros({losses.task_count}, options);
    last_ = torch::full({losses.task_count}, nan, options);
    before_last_ = torch::full({losses.task_count}, nan, options);
    update_weights();
  }
  const Tensor weights = present(weights_, losses, "weights");
  if (losses.size() == losses.task_count) {
    sum_ += values.detach();
    steps_ += 1;
  } else {
    const Tensor tasks = torch::tensor(losses.tasks).to(values.device());
    sum_.index_add_(0, tasks, values.detach());
    steps_.index_add_(0, tasks, torch::ones_like(weights));
  }
  return values.dot(weights);
}

void DynamicWeightAverage::end_epoch() {
  if (!sum_.defined()) return;
  const Tensor seen = steps_.gt(0);
  before_last_ = torch::where(seen, last_, before_last_);
  last_ = torch::where(seen, sum_ / steps_, last_);
  sum_.zero_();
  steps_.zero_();
  update_weights();
}

void DynamicWeightAverage::update_weights() {
  const Tensor ratio = last_ / before_last_;
  const Tensor known = torch::where(ratio.isnan(), torch::ones_like(ratio), ratio);
  weights_ = (known / options_.temperature).softmax(0) * static_cast<double>(known.size(0));
}

NamedTensors DynamicWeightAverage::state_dict() const {
  NamedTensors state;
  if (!sum_.defined()) return state;
  state.insert("sum", sum_);
  state.insert("steps", steps_);
  state.insert("last", last_);
  state.insert("before_last", before_last_);
  return state;
}

void DynamicWeightAverage::load_state_dict(const NamedTensors& state) {
  if (state.is_empty()) {
    sum_ = steps_ = last_ = before_last_ = weights_ = Tensor();
    return;
  }
  sum_ = state_entry(state, "sum").clone();
  steps_ = state_entry(state, "steps").clone();
  last_ = state_entry(state, "last").clone();
  before_last_ = state_entry(state, "before_last").clone();
  update_weights();
}

RandomLossWeighting::RandomLossWeighting(Options options)
    : options_(std::move(options)), generator_(make_generator(options_.seed)) {}

Tensor RandomLossWeighting::draw(int64_t tasks) {
  if (options_.draws) return options_.draws(tasks);
  return options_.distribution == Distribution::normal
             ? torch::randn({tasks}, generator_, torch::kDouble)
             : torch::rand({tasks}, generator_, torch::kDouble);
}

Tensor RandomLossWeighting::combine(const TaskLosses& losses) {
  const int64_t tasks = losses.size();
  Tensor weights = draw(tasks);
  switch (options_.distribution) {
    case Distribution::normal:
    case Distribution::uniform:
      weights = weights.softmax(0);
      break;
    case Distribution::dirichlet:  // exponential draws, normalised
      weights = -(1 - weights).log();
      weights = weights / weights.sum();
      break;
    case Distribution::bernoulli:
      while (!weights.lt(0.5).any().item<bool>()) weights = draw(tasks);
      weights = weights.lt(0.5).to(torch::kDouble);
      weights = weights / weights.sum();
      break;
  }
  return stacked(losses).dot(weights.to(losses.values.front().options()));
}

NamedTensors RandomLossWeighting::state_dict() const {
  NamedTensors state;
  state.insert("generator", generator_state(generator_));
  return state;
}

void RandomLossWeighting::load_state_dict(const NamedTensors& state) {
  set_generator_state(generator_, state_entry(state, "generator"));
}

}  // namespace mtl
