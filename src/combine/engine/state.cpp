#include "state.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_set>
#include <utility>

#include "capture.hpp"
#include "gramian_sum.hpp"
#include "leaves.hpp"
#include "mtl/combine/task_gradients.hpp"
#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {
namespace {

using at::Tensor;
using engine::LinearRows;
using engine::Target;

Tensor weight_like(const Tensor& loss, double weight) {
  return at::full_like(loss, weight, loss.options().requires_grad(false),
                       at::MemoryFormat::Preserve);
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
    if (tensor.defined() && tensor.numel() > 0)
      sums.push_back(in_real_parts(engine::dense(tensor)).sum());
  if (sums.empty()) return true;
  for (auto& sum : sums) sum = sum.to(sums.front().options());
  return std::isfinite(at::stack(sums).sum().item<double>());
}

void check_representation(const Tensor& representation) {
  if (!representation.defined())
    throw Error(
        "the gradients were to be compared at the shared representation, but these losses have "
        "none (parts of a batch have none in common); use GradientSite::shared_parameters, or give "
        "TaskLosses::representation");
  if (!representation.is_leaf() &&
      engine::has_hooks(*engine::target_of(representation).edge.function)) {
    throw Error(
        "the representation has a hook, which would see gradients of its own there; "
        "take the gradients at the shared parameters, or remove the hook");
  }
}

}  // namespace

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
    share = engine::share_of(next.representation);
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
  share = nullptr;
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
  if (rows_wanted && share != nullptr)
    throw Error(
        "this method needs the rows of the gradients, of which each process has its part where "
        "they are compared at the shared representation; use GradientSite::shared_parameters");
  if (!captured) {
    const at::NoGradGuard no_grad;
    const auto graph = plan(rows_wanted);
    std::optional<engine::Captured> found;
    if (graph.replay) found = engine::replay(graph, losses, workspace);
    if (!found) {
      engine::LateGradientsOf late(losses);
      found = engine::capture(graph, losses, columns(), task_parameters());
      late.arrive();
    }
    take(graph, std::move(*found));
    captured = true;
  }
  if (rows_wanted) multiply_out();
}

void Engine::State::take(const engine::Plan& plan, engine::Captured found) {
  column_rows = std::move(found.column_rows);
  for (size_t c = 0; c < column_rows.size(); ++c)
    if (columns()[c].is_complex())
      for (auto& row : column_rows[c])
        if (row.defined()) row = in_real_parts(engine::dense(row));
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
  engine::LayerWeights layer_weights(weights);
  for (const auto& layer : layers) {
    if (!wanted[layer.weight] && !(layer.bias && wanted[*layer.bias])) continue;
    auto [weight, bias] = engine::weighted_sum(layer, layer_weights);
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
  require_finite(over_all_rows(gramian_of(all())).diagonal(), names);
}

}  // namespace mtl
