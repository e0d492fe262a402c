#include "mtl/combine/engine/engine.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_set>
#include <utility>

#include "capture.hpp"
#include "gramian_sum.hpp"
#include "graph.hpp"
#include "leaves.hpp"
#include "linear_rows.hpp"
#include "mtl/combine/task_gradients.hpp"
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

bool same_tensors(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Tensor& x, const Tensor& y) { return x.is_same(y); });
}

using Seen = std::unordered_set<const void*>;

Seen seen_of(const std::vector<Tensor>& tensors) {
  Seen seen;
  for (const auto& tensor : tensors) seen.insert(tensor.unsafeGetTensorImpl());
  return seen;
}

// Appends to `all` those of the list that have not been seen.
void add_new(std::vector<Tensor> list, Seen& seen, std::vector<Tensor>& all) {
  for (auto& tensor : list)
    if (seen.insert(tensor.unsafeGetTensorImpl()).second) all.push_back(std::move(tensor));
}

// Whether all are finite; "no" may be wrong where a sum of finite numbers overflows.
bool surely_finite(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> sums;
  for (const auto& tensor : tensors)
    if (tensor.defined() && tensor.numel() > 0) sums.push_back(engine::dense(tensor).sum());
  if (sums.empty()) return true;
  for (auto& sum : sums) sum = sum.to(sums.front().options());
  return std::isfinite(at::stack(sums).sum().item<double>());
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

void check_representation(const Tensor& representation) {
  if (!representation.defined())
    throw Error(
        "the gradients were to be compared at the shared representation, but these losses have "
        "none; use GradientSite::shared_parameters, or give TaskLosses::representation");
  if (!representation.requires_grad())
    throw Error(
        "the gradients were to be compared at the shared representation, but it requires no "
        "gradient; use GradientSite::shared_parameters");
  if (!representation.is_leaf() &&
      engine::has_hooks(*engine::target_of(representation).edge.function)) {
    throw Error(
        "the representation has a hook, which would see gradients of its own there; "
        "take the gradients at the shared parameters, or remove the hook");
  }
}

}  // namespace

struct Engine::State {
  EngineOptions options;
  // The lists last handed over, and each of their tensors once: hashing them each step would cost
  // more than a small net's forward.
  std::vector<Tensor> given_shared;
  std::vector<std::vector<Tensor>> given_by_task;
  std::vector<Tensor> shared, of_tasks;
  // The step under way.
  std::vector<Tensor> losses;
  std::vector<std::string> names;
  std::vector<Tensor> representation;  // one, or none: J is the gradient at `shared`
  std::vector<Tensor> behind;          // what receives its gradient through the representation
  std::vector<Tensor> others;          // leaves that the losses reach, where no list says which
  bool captured = false;
  Rows column_rows;                // [column][task]; nothing for the columns of `layers`
  std::vector<LinearRows> layers;  // rows not yet multiplied out
  Rows task_rows;                  // [task parameter][task]
  std::optional<Eigen::MatrixXd> gramian;
  engine::Workspace workspace;

  int64_t tasks() const { return static_cast<int64_t>(losses.size()); }
  bool at_representation() const { return !representation.empty(); }
  const std::vector<Tensor>& columns() const {
    return at_representation() ? representation : shared;
  }
  const std::vector<Tensor>& task_parameters() const {
    return given_by_task.empty() ? others : of_tasks;
  }

  void begin(const TaskLosses& next, const Parameters& parameters, GradientSite at);
  void take_lists(const Parameters& parameters);
  void find_others();
  void check_weights(int64_t found) const;
  void capture(bool rows_wanted);
  engine::Plan plan(bool rows_wanted) const;
  void take(const engine::Plan& plan, engine::Captured found);
  void multiply_out();
  Eigen::MatrixXd gramian_of(const std::vector<bool>& wanted);
  std::vector<Tensor> weighted_sum(const Eigen::VectorXd& weights, const std::vector<bool>& wanted,
                                   bool rows_wanted_again = true);
  std::vector<Tensor> of_weighted_loss(const Eigen::VectorXd& weights,
                                       const std::vector<Tensor>& parameters) const;
  void refuse_infinite(const std::vector<Tensor>& gradients);
  void end();
};

void Engine::State::begin(const TaskLosses& next, const Parameters& parameters, GradientSite at) {
  end();
  check_losses(next);
  const bool known = same_tensors(given_shared, parameters.shared) &&
                     std::equal(given_by_task.begin(), given_by_task.end(),
                                parameters.by_task.begin(), parameters.by_task.end(), same_tensors);
  if (!known ||
      (!given_by_task.empty() && static_cast<int64_t>(given_by_task.size()) != next.task_count))
    check_parameters(parameters, next.task_count);
  if (at == GradientSite::representation) check_representation(next.representation);
  if (!known) take_lists(parameters);
  losses = next.values;
  names = next.names;
  if (at == GradientSite::representation) {
    representation = {next.representation};
    behind = shared;
  }
  if (given_by_task.empty()) find_others();
}

void Engine::State::take_lists(const Parameters& parameters) {
  std::vector<Tensor> first, second;
  Seen seen;
  add_new(parameters.shared, seen, first);
  for (const auto& list : parameters.by_task) add_new(list, seen, second);
  given_shared = parameters.shared;
  given_by_task = parameters.by_task;
  shared = std::move(first);
  of_tasks = std::move(second);
}

// What backward() would reach besides the shared parameters.
void Engine::State::find_others() {
  Seen seen = seen_of(shared);
  add_new(engine::leaves(losses, at_representation() ? representation.front() : Tensor()), seen,
          others);
  if (at_representation()) add_new(engine::leaves(representation, {}), seen, behind);
}

void Engine::State::end() {
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
  losses.clear();
  names.clear();
  representation.clear();
  behind.clear();
  others.clear();
}

engine::Plan Engine::State::plan(bool rows_wanted) const {
  auto plan = engine::make_plan(losses, columns(), task_parameters(), behind);
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
             !engine::products_pay(tasks(), site.samples(), columns()[site.weight].size(1),
                                   columns()[site.weight].size(0));
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
      found = engine::replay(graph, losses, columns(), task_parameters(), workspace);
    if (!found) found = engine::capture(graph, losses, columns(), task_parameters());
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
    for (auto& row : column_rows[*layer.bias]) row = row.view_as(columns()[*layer.bias]);
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
    for (size_t c = 0; c < columns().size(); ++c) {
      if (wanted[c]) sum.add_rows(column_rows[c], in_double);
    }
  });
}

std::vector<Tensor> Engine::State::weighted_sum(const Eigen::VectorXd& weights,
                                                const std::vector<bool>& wanted,
                                                bool rows_wanted_again) {
  const at::NoGradGuard no_grad;
  std::vector<Tensor> sums(columns().size());
  Tensor there;  // the weights where the layers lie: as a rule one copy for all
  for (const auto& layer : layers) {
    if (!wanted[layer.weight] && !(layer.bias && wanted[*layer.bias])) continue;
    if (!there.defined() || there.device() != layer.delta.device() ||
        there.scalar_type() != layer.delta.scalar_type())
      there = engine::weights_beside(layer.delta, weights);
    auto [weight, bias] = engine::weighted_sum(layer, there);
    if (wanted[layer.weight]) sums[layer.weight] = std::move(weight);
    if (layer.bias && wanted[*layer.bias]) sums[*layer.bias] = bias.view_as(columns()[*layer.bias]);
  }
  Rows rows;
  std::vector<size_t> places;
  for (size_t c = 0; c < columns().size(); ++c) {
    if (!wanted[c] || sums[c].defined()) continue;
    rows.push_back(rows_wanted_again ? column_rows[c] : std::move(column_rows[c]));
    places.push_back(c);
  }
  auto found = engine::weighted_sums(std::move(rows), weights);
  for (size_t i = 0; i < places.size(); ++i) sums[places[i]] = std::move(found[i]);
  return sums;
}

void Engine::State::check_weights(int64_t found) const {
  if (found != tasks()) throw Error("{} weights for {} losses", found, tasks());
}

// The gradients of sum_t w_t l_t.
std::vector<Tensor> Engine::State::of_weighted_loss(const Eigen::VectorXd& weights,
                                                    const std::vector<Tensor>& parameters) const {
  std::vector<Tensor> cotangents;
  std::vector<Target> targets;
  for (size_t t = 0; t < losses.size(); ++t) {
    cotangents.push_back(weight_like(losses[t], weights[static_cast<int64_t>(t)]));
  }
  for (const auto& parameter : parameters) targets.push_back(engine::target_of(parameter));
  return engine::gradients(losses, cotangents, targets);
}

// Where no Gramian has told of a bad row.
void Engine::State::refuse_infinite(const std::vector<Tensor>& gradients) {
  if (surely_finite(gradients)) return;
  capture(/*rows_wanted=*/false);
  require_finite(gramian_of(all(columns())).diagonal(), names);
}

Engine::Engine(EngineOptions options) : state_(std::make_unique<State>()) {
  state_->options = options;
}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::begin(const TaskLosses& losses, const Parameters& parameters, GradientSite at) {
  state_->begin(losses, parameters, at);
}
void Engine::end() { state_->end(); }
int64_t Engine::tasks() const { return state_->tasks(); }
const std::vector<Tensor>& Engine::columns() const { return state_->columns(); }

const Eigen::MatrixXd& Engine::gramian() {
  if (!state_->gramian) {
    state_->capture(/*rows_wanted=*/false);
    state_->gramian = state_->gramian_of(all(state_->columns()));
  }
  return *state_->gramian;
}

Eigen::MatrixXd Engine::gramian_of(const Eigen::MatrixXd& combinations) {
  Rows rows(state_->columns().size());
  for (Eigen::Index k = 0; k < combinations.rows(); ++k) {
    auto row = weighted_sum(combinations.row(k).transpose());
    for (size_t p = 0; p < rows.size(); ++p) rows[p].push_back(std::move(row[p]));
  }
  return mtl::gramian(rows);
}

std::vector<Eigen::MatrixXd> Engine::gramians(const Groups& groups) {
  state_->capture(/*rows_wanted=*/false);
  std::vector<Eigen::MatrixXd> result;
  for (const auto& group : groups)
    result.push_back(state_->gramian_of(only(group, state_->columns())));
  return result;
}

Eigen::VectorXd Engine::norms() {
  state_->capture(/*rows_wanted=*/false);
  if (state_->gramian || !state_->layers.empty()) return gramian().diagonal().cwiseSqrt();
  return state_->columns().empty() ? Eigen::VectorXd::Zero(tasks()).eval()
                                   : mtl::norms(state_->column_rows);
}

const Rows& Engine::rows() {
  state_->capture(/*rows_wanted=*/true);
  return state_->column_rows;
}

std::vector<Tensor> Engine::weighted_sum(const Eigen::VectorXd& weights) {
  state_->check_weights(weights.size());
  state_->capture(/*rows_wanted=*/false);
  return state_->weighted_sum(weights, all(state_->columns()));
}

std::vector<Tensor> Engine::weighted_sum(const Groups& groups, const Eigen::MatrixXd& weights) {
  state_->check_weights(weights.rows());
  if (weights.cols() != static_cast<int64_t>(groups.size())) {
    throw Error("weights for {} groups, but there are {}", weights.cols(), groups.size());
  }
  state_->capture(/*rows_wanted=*/false);
  std::vector<Tensor> result(state_->columns().size());
  for (size_t g = 0; g < groups.size(); ++g) {
    auto part = state_->weighted_sum(weights.col(static_cast<int64_t>(g)),
                                     only(groups[g], state_->columns()));
    for (const auto column : groups[g]) {
      result[static_cast<size_t>(column)] = std::move(part[static_cast<size_t>(column)]);
    }
  }
  return result;
}

Eigen::VectorXd Engine::products(const std::vector<Tensor>& direction) {
  if (direction.size() != state_->columns().size()) {
    throw Error("a direction of {} tensors for {} parameters", direction.size(),
                state_->columns().size());
  }
  state_->capture(/*rows_wanted=*/false);
  const at::NoGradGuard no_grad;
  engine::NumberSums result(tasks());
  engine::add_products(state_->column_rows, direction, result);
  for (const auto& layer : state_->layers) {
    engine::add_products(layer, direction[layer.weight],
                         layer.bias ? direction[*layer.bias] : Tensor(), result);
  }
  return result.value();
}

void Engine::write_gradients(const Eigen::VectorXd& weights, HeadGradient heads) {
  write_gradients(weights,
                  heads == HeadGradient::weighted ? weights : Eigen::VectorXd::Ones(tasks()));
}

void Engine::write_gradients(const Eigen::VectorXd& weights, const Eigen::VectorXd& head_weights) {
  state_->check_weights(weights.size());
  state_->check_weights(head_weights.size());
  const at::NoGradGuard no_grad;
  if (state_->captured) {
    auto direction = state_->weighted_sum(weights, all(state_->columns()), false);
    return write_direction(std::move(direction), head_weights);
  }
  const auto& shared = state_->at_representation() ? state_->behind : state_->shared;
  const auto& of_tasks = state_->task_parameters();
  std::vector<Tensor> found;
  if (weights == head_weights) {
    auto parameters = shared;
    parameters.insert(parameters.end(), of_tasks.begin(), of_tasks.end());
    found = state_->of_weighted_loss(weights, parameters);
  } else {
    found = state_->of_weighted_loss(weights, shared);
    for (auto& gradient : state_->of_weighted_loss(head_weights, of_tasks))  // only the heads
      found.push_back(std::move(gradient));
  }
  state_->refuse_infinite({found.begin(), found.begin() + static_cast<int64_t>(shared.size())});
  for (size_t p = 0; p < found.size(); ++p)
    engine::accumulate(p < shared.size() ? shared[p] : of_tasks[p - shared.size()],
                       std::move(found[p]));
  state_->end();
}

void Engine::write_direction(std::vector<Tensor> direction, const Eigen::VectorXd& head_weights) {
  state_->check_weights(head_weights.size());
  const auto& columns = state_->columns();
  if (direction.size() != columns.size()) {
    throw Error("a direction of {} tensors for {} parameters", direction.size(), columns.size());
  }
  const at::NoGradGuard no_grad;
  const auto& of_tasks = state_->task_parameters();
  std::vector<Tensor> of_heads;
  if (!state_->captured) of_heads = state_->of_weighted_loss(head_weights, of_tasks);
  if (state_->at_representation()) {
    engine::backward_into(columns.front(), direction.front(), state_->behind);
  } else {
    for (size_t p = 0; p < columns.size(); ++p)
      engine::accumulate(columns[p], std::move(direction[p]));
  }
  for (size_t p = 0; p < of_tasks.size(); ++p) {
    engine::accumulate(of_tasks[p],
                       state_->captured
                           ? engine::weighted_sum(std::move(state_->task_rows[p]), head_weights)
                           : std::move(of_heads[p]));
  }
  state_->end();
}

}  // namespace mtl
