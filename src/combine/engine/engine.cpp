#include "mtl/combine/engine/engine.hpp"

#include <ATen/ATen.h>

#include <utility>

#include "gramian_sum.hpp"
#include "graph.hpp"
#include "linear_rows.hpp"
#include "mtl/core/error.hpp"
#include "state.hpp"

namespace mtl {
namespace {

using at::Tensor;

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
    state_->gramian = state_->over_all_rows(state_->gramian_of(state_->all()));
  }
  return *state_->gramian;
}

Eigen::MatrixXd Engine::gramian_of(const Eigen::MatrixXd& combinations) {
  Rows rows(state_->columns().size());
  for (Eigen::Index k = 0; k < combinations.rows(); ++k) {
    auto row = weighted_sum(combinations.row(k).transpose());
    for (size_t p = 0; p < rows.size(); ++p) rows[p].push_back(std::move(row[p]));
  }
  return state_->over_all_rows(mtl::gramian(rows));
}

std::vector<Eigen::MatrixXd> Engine::gramians(const Groups& groups) {
  state_->capture(/*rows_wanted=*/false);
  std::vector<Eigen::MatrixXd> result;
  for (const auto& group : groups)
    result.push_back(state_->over_all_rows(state_->gramian_of(only(group, state_->columns()))));
  return result;
}

Eigen::VectorXd Engine::norms() {
  state_->capture(/*rows_wanted=*/false);
  if (state_->gramian || !state_->layers.empty() || state_->share != nullptr)
    return gramian().diagonal().cwiseSqrt();
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
  return state_->weighted_sum(weights, state_->all());
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
  return state_->over_all_rows(result.value());
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
    auto direction = state_->weighted_sum(weights, state_->all(), false);
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
  for (size_t p = 0; p < columns.size(); ++p)
    if (columns[p].is_complex() && direction[p].defined() && !direction[p].is_complex())
      direction[p] = at::view_as_complex(direction[p].contiguous());
  const auto& of_tasks = state_->task_parameters();
  auto of_heads = state_->captured
                      ? engine::weighted_sums(std::move(state_->task_rows), head_weights)
                      : state_->of_weighted_loss(head_weights, of_tasks);
  if (state_->at_representation()) {
    engine::backward_into(columns.front(), direction.front(), state_->behind);
  } else {
    for (size_t p = 0; p < columns.size(); ++p)
      engine::accumulate(columns[p], std::move(direction[p]));
  }
  for (size_t p = 0; p < of_tasks.size(); ++p)
    engine::accumulate(of_tasks[p], std::move(of_heads[p]));
  state_->end();
}

}  // namespace mtl
