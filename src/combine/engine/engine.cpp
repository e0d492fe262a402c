#include "mtl/combine/engine/engine.hpp"

#include <ATen/ATen.h>

#include <optional>
#include <unordered_set>
#include <utility>

#include "capture.hpp"
#include "gramian_sum.hpp"
#include "graph.hpp"
#include "linear_rows.hpp"
#include "mtl/core/error.hpp"
#include "replay.hpp"
#include "workspace.hpp"

namespace mtl {
namespace {

using at::Tensor;
using engine::LinearRows;
using engine::Target;

Tensor weight_like(const Tensor& loss, double weight) {
  return at::full_like(loss, weight, loss.options().requires_grad(false),
                       at::MemoryFormat::Preserve);
}

std::vector<bool> all(const std::vector<Tensor>& columns) {
  return std::vector<bool>(columns.size(), true);
}

std::vector<bool> only(const std::vector<int64_t>& group, const std::vector<Tensor>& columns) {
  std::vector<bool> wanted(columns.size(), false);
  for (const auto column : group) {
    if (column < 0 || column >= static_cast<int64_t>(columns.size())) {
      throw Error("a group names column {}, but there are {}", column, columns.size());
    }
    wanted[static_cast<size_t>(column)] = true;
  }
  return wanted;
}

}  // namespace

struct Engine::State {
  EngineOptions options;
  EngineStep step;
  std::vector<Tensor> columns;
  std::vector<Tensor> task_parameters;  // of all tasks, each once and none that is shared
  bool captured = false;
  Rows column_rows;                // [column][task]; nothing for the columns of `layers`
  std::vector<LinearRows> layers;  // rows not yet multiplied out
  Rows task_rows;                  // [task parameter][task]
  std::optional<Eigen::MatrixXd> gramian;
  engine::Workspace workspace;

  int64_t tasks() const { return static_cast<int64_t>(step.losses.size()); }
  bool at_representation() const { return step.representation.defined(); }

  void begin(EngineStep next);
  void check() const;
  void check_weights(int64_t found) const;
  void capture(bool rows_wanted);
  engine::Plan plan(bool rows_wanted) const;
  void take(const engine::Plan& plan, engine::Captured found);
  void multiply_out();
  Eigen::MatrixXd gramian_of(const std::vector<bool>& wanted);
  std::vector<Tensor> weighted_sum(const Eigen::VectorXd& weights, const std::vector<bool>& wanted,
                                   bool rows_wanted_again = true);
  void write_columns(std::vector<Tensor> direction);
  void write_task_parameters(const Eigen::VectorXd& weights);
  void backward(const Eigen::VectorXd& weights,
                const std::vector<Tensor>& parameters);  // of sum_t w_t l_t
  void end();
};

void Engine::State::begin(EngineStep next) {
  end();
  step = std::move(next);
  check();
  columns = at_representation() ? std::vector<Tensor>{step.representation} : step.shared;
  std::unordered_set<const void*> seen;
  for (const auto& parameter : step.shared) seen.insert(parameter.unsafeGetTensorImpl());
  for (const auto& list : step.task_parameters) {
    for (const auto& parameter : list) {
      if (seen.insert(parameter.unsafeGetTensorImpl()).second) task_parameters.push_back(parameter);
    }
  }
}

void Engine::State::check() const {
  if (step.losses.empty()) throw Error("the engine needs at least one loss");
  for (size_t t = 0; t < step.losses.size(); ++t) {
    const auto& loss = step.losses[t];
    if (!loss.defined()) throw Error("loss {} is undefined", t);
    if (loss.numel() != 1) {
      throw Error("loss {} has {} elements; a loss is one number", t, loss.numel());
    }
  }
  if (!step.task_parameters.empty() && step.task_parameters.size() != step.losses.size()) {
    throw Error("{} losses, but task parameters of {} tasks", step.losses.size(),
                step.task_parameters.size());
  }
  if (at_representation() && !step.representation.is_leaf() &&
      engine::has_hooks(*engine::target_of(step.representation).edge.function)) {
    throw Error(
        "the representation has a hook, which would see gradients of its own there; "
        "take the gradients at the shared parameters, or remove the hook");
  }
}

void Engine::State::end() {
  columns.clear();
  task_parameters.clear();
  column_rows.clear();
  if (captured) {
    std::vector<Tensor> memory;
    for (auto& layer : layers) memory.push_back(std::move(layer.delta));
    workspace.end_step(std::move(memory));
  }
  layers.clear();
  task_rows.clear();
  captured = false;
  gramian.reset();
  step = {};
}

engine::Plan Engine::State::plan(bool rows_wanted) const {
  auto plan = engine::make_plan(step.losses, columns, task_parameters,
                                at_representation() ? step.shared : std::vector<Tensor>{});
  if (plan.goes_around) {
    throw Error(
        "the losses reach a shared parameter other than through the representation; "
        "take the gradients at the shared parameters");
  }
  if (options.path == EnginePath::rows) {
    plan.sites.clear();
    plan.replay.reset();
  }
  if (!plan.replay && options.path != EnginePath::products) {
    // Without a replay autograd can make a weight's rows itself: ask for them wherever they cost
    // less than products.
    std::erase_if(plan.sites, [&](const engine::LinearSite& site) {
      return rows_wanted ||
             !engine::products_pay(tasks(), site.samples(), columns[site.weight].size(1),
                                   columns[site.weight].size(0));
    });
  }
  return plan;
}

void Engine::State::capture(bool rows_wanted) {
  if (!captured) {
    const at::NoGradGuard no_grad;
    const auto graph = plan(rows_wanted);
    std::optional<engine::Captured> found;
    if (graph.replay)
      found = engine::replay(graph, step.losses, columns, task_parameters, workspace);
    if (!found) found = engine::capture(graph, step.losses, columns, task_parameters);
    take(graph, std::move(*found));
    captured = true;
  }
  if (rows_wanted) multiply_out();
}

void Engine::State::take(const engine::Plan& plan, engine::Captured found) {
  column_rows = std::move(found.column_rows);
  task_rows = std::move(found.task_rows);
  for (size_t s = 0; s < plan.sites.size(); ++s) {
    const auto& site = plan.sites[s];
    std::vector<Tensor> inputs, deltas;
    for (size_t use = 0; use < site.outputs.size(); ++use) {
      if (!found.deltas[s][use].defined()) continue;
      inputs.push_back(site.inputs[use]);
      deltas.push_back(std::move(found.deltas[s][use]));
    }
    if (deltas.empty()) continue;
    LinearRows layer{site.weight, site.bias, inputs.front(), deltas.front()};
    if (deltas.size() > 1) {  // used more than once: further samples of one layer
      layer.input = at::cat(inputs, 0);
      layer.delta = at::cat(deltas, 1);
    }
    layer.through_products = options.path == EnginePath::products ||
                             engine::products_pay(tasks(), layer.input.size(0), layer.input.size(1),
                                                  layer.delta.size(2));
    layers.push_back(std::move(layer));
  }
}

void Engine::State::multiply_out() {
  const at::NoGradGuard no_grad;
  for (const auto& layer : layers) {
    column_rows[layer.weight] = engine::weight_rows(layer);
    if (!layer.bias) continue;
    column_rows[*layer.bias] = engine::bias_rows(layer);
    for (auto& row : column_rows[*layer.bias]) row = row.view_as(columns[*layer.bias]);
  }
  layers.clear();
}

Eigen::MatrixXd Engine::State::gramian_of(const std::vector<bool>& wanted) {
  const at::NoGradGuard no_grad;
  return engine::guarded_gramian(tasks(), [&](engine::GramianSum& sum, bool in_double) {
    for (const auto& layer : layers) {
      engine::add_gramian(layer, wanted[layer.weight], layer.bias && wanted[*layer.bias], in_double,
                          sum, workspace);
    }
    for (size_t c = 0; c < columns.size(); ++c) {
      if (wanted[c]) sum.add_rows(column_rows[c], in_double);
    }
  });
}

std::vector<Tensor> Engine::State::weighted_sum(const Eigen::VectorXd& weights,
                                                const std::vector<bool>& wanted,
                                                bool rows_wanted_again) {
  const at::NoGradGuard no_grad;
  std::vector<Tensor> sums(columns.size());
  for (const auto& layer : layers) {
    if (!wanted[layer.weight] && !(layer.bias && wanted[*layer.bias])) continue;
    auto [weight, bias] = engine::weighted_sum(layer, weights);
    if (wanted[layer.weight]) sums[layer.weight] = std::move(weight);
    if (layer.bias && wanted[*layer.bias]) sums[*layer.bias] = bias.view_as(columns[*layer.bias]);
  }
  for (size_t c = 0; c < columns.size(); ++c) {
    if (!wanted[c] || sums[c].defined()) continue;
    sums[c] = rows_wanted_again ? engine::weighted_sum(column_rows[c], weights)
                                : engine::weighted_sum(std::move(column_rows[c]), weights);
  }
  return sums;
}

void Engine::State::check_weights(int64_t found) const {
  if (found != tasks()) throw Error("{} weights for {} losses", found, tasks());
}

void Engine::State::write_columns(std::vector<Tensor> direction) {
  if (direction.size() != columns.size()) {
    throw Error("a direction of {} tensors for {} parameters", direction.size(), columns.size());
  }
  if (at_representation()) {
    engine::backward_into(step.representation, direction[0], step.shared);
    return;
  }
  for (size_t p = 0; p < columns.size(); ++p)
    engine::accumulate(columns[p], std::move(direction[p]));
}

void Engine::State::write_task_parameters(const Eigen::VectorXd& weights) {
  for (size_t p = 0; p < task_parameters.size(); ++p) {
    engine::accumulate(task_parameters[p], engine::weighted_sum(std::move(task_rows[p]), weights));
  }
}

void Engine::State::backward(const Eigen::VectorXd& weights,
                             const std::vector<Tensor>& parameters) {
  std::vector<Tensor> cotangents;
  std::vector<Target> targets;
  for (size_t t = 0; t < step.losses.size(); ++t) {
    cotangents.push_back(weight_like(step.losses[t], weights[static_cast<int64_t>(t)]));
  }
  for (const auto& parameter : parameters) targets.push_back(engine::target_of(parameter));
  auto found = engine::gradients(step.losses, cotangents, targets);
  for (size_t p = 0; p < parameters.size(); ++p)
    engine::accumulate(parameters[p], std::move(found[p]));
}

Engine::Engine(EngineOptions options) : state_(std::make_unique<State>()) {
  state_->options = options;
}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::begin(EngineStep step) { state_->begin(std::move(step)); }
int64_t Engine::tasks() const { return state_->tasks(); }
const std::vector<Tensor>& Engine::columns() const { return state_->columns; }

const Eigen::MatrixXd& Engine::gramian() {
  if (!state_->gramian) {
    state_->capture(/*rows_wanted=*/false);
    state_->gramian = state_->gramian_of(all(state_->columns));
  }
  return *state_->gramian;
}

std::vector<Eigen::MatrixXd> Engine::gramians(const Groups& groups) {
  state_->capture(/*rows_wanted=*/false);
  std::vector<Eigen::MatrixXd> result;
  for (const auto& group : groups)
    result.push_back(state_->gramian_of(only(group, state_->columns)));
  return result;
}

Eigen::VectorXd Engine::norms() {
  state_->capture(/*rows_wanted=*/false);
  if (state_->gramian || !state_->layers.empty()) return gramian().diagonal().cwiseSqrt();
  return state_->columns.empty() ? Eigen::VectorXd::Zero(tasks()).eval()
                                 : mtl::norms(state_->column_rows);
}

const Rows& Engine::rows() {
  state_->capture(/*rows_wanted=*/true);
  return state_->column_rows;
}

std::vector<Tensor> Engine::weighted_sum(const Eigen::VectorXd& weights) {
  state_->check_weights(weights.size());
  state_->capture(/*rows_wanted=*/false);
  return state_->weighted_sum(weights, all(state_->columns));
}

std::vector<Tensor> Engine::weighted_sum(const Groups& groups, const Eigen::MatrixXd& weights) {
  state_->check_weights(weights.rows());
  if (weights.cols() != static_cast<int64_t>(groups.size())) {
    throw Error("weights for {} groups, but there are {}", weights.cols(), groups.size());
  }
  state_->capture(/*rows_wanted=*/false);
  std::vector<Tensor> result(state_->columns.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    auto part = state_->weighted_sum(weights.col(static_cast<int64_t>(g)),
                                     only(groups[g], state_->columns));
    for (const auto column : groups[g]) {
      result[static_cast<size_t>(column)] = std::move(part[static_cast<size_t>(column)]);
    }
  }
  return result;
}

Eigen::VectorXd Engine::products(const std::vector<Tensor>& direction) {
  if (direction.size() != state_->columns.size()) {
    throw Error("a direction of {} tensors for {} parameters", direction.size(),
                state_->columns.size());
  }
  state_->capture(/*rows_wanted=*/false);
  const at::NoGradGuard no_grad;
  Eigen::VectorXd result = Eigen::VectorXd::Zero(tasks());
  if (!state_->columns.empty()) result = mtl::products(state_->column_rows, direction);
  for (const auto& layer : state_->layers) {
    engine::add_products(layer, direction[layer.weight],
                         layer.bias ? direction[*layer.bias] : Tensor(), result);
  }
  return result;
}

void Engine::write_gradients(const Eigen::VectorXd& weights, HeadGradient heads) {
  state_->check_weights(weights.size());
  const Eigen::VectorXd head_weights =
      heads == HeadGradient::weighted ? weights : Eigen::VectorXd::Ones(tasks());
  const at::NoGradGuard no_grad;
  if (state_->captured) {
    auto direction = state_->weighted_sum(weights, all(state_->columns), false);
    return write_direction(std::move(direction), head_weights);
  }
  if (weights == head_weights) {
    auto parameters = state_->step.shared;
    parameters.insert(parameters.end(), state_->task_parameters.begin(),
                      state_->task_parameters.end());
    state_->backward(weights, parameters);
  } else {
    state_->backward(weights, state_->step.shared);
    state_->backward(head_weights, state_->task_parameters);  // goes no further than the heads
  }
  state_->end();
}

void Engine::write_direction(std::vector<Tensor> direction, const Eigen::VectorXd& head_weights) {
  state_->check_weights(head_weights.size());
  const at::NoGradGuard no_grad;
  state_->write_columns(std::move(direction));
  if (state_->captured) {
    state_->write_task_parameters(head_weights);
  } else {
    state_->backward(head_weights, state_->task_parameters);
  }
  state_->end();
}

}  // namespace mtl
