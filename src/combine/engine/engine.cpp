#include "mtl/combine/engine/engine.hpp"

#include <ATen/ATen.h>

#include <optional>
#include <unordered_set>
#include <utility>

#include "capture.hpp"
#include "gramian_sum.hpp"
#include "mtl/core/error.hpp"

namespace mtl {
namespace {

using at::Tensor;
using engine::Target;

Tensor weight_like(const Tensor& loss, double weight) {
  return at::full_like(loss, weight, loss.options().requires_grad(false),
                       at::MemoryFormat::Preserve);
}

}  // namespace

struct Engine::State {
  EngineOptions options;
  EngineStep step;
  std::vector<Tensor> columns;
  std::vector<Tensor> task_parameters;  // of all tasks, each once and none that is shared
  Rows column_rows;                     // [column][task]
  Rows task_rows;                       // [task parameter][task]
  bool captured = false;
  std::optional<Eigen::MatrixXd> gramian;

  int64_t tasks() const { return static_cast<int64_t>(step.losses.size()); }
  bool at_representation() const { return step.representation.defined(); }

  void begin(EngineStep next);
  void check_weights(int64_t found) const;
  void capture_rows();
  void write_columns(std::vector<Tensor> direction);
  void write_task_parameters(const Eigen::VectorXd& weights);
  void backward(const Eigen::VectorXd& weights,
                const std::vector<Tensor>& parameters);  // of sum_t w_t l_t
  void end();
};

void Engine::State::begin(EngineStep next) {
  end();
  step = std::move(next);
  if (step.losses.empty()) throw Error("the engine needs at least one loss");
  for (size_t t = 0; t < step.losses.size(); ++t) {
    const auto& loss = step.losses[t];
    if (!loss.defined()) throw Error("loss {} is undefined", t);
    if (loss.numel() != 1)
      throw Error("loss {} has {} elements; a loss is one number", t, loss.numel());
  }
  if (!step.task_parameters.empty() && step.task_parameters.size() != step.losses.size()) {
    throw Error("{} losses, but task parameters of {} tasks", step.losses.size(),
                step.task_parameters.size());
  }
  columns = at_representation() ? std::vector<Tensor>{step.representation} : step.shared;
  std::unordered_set<const void*> seen;
  for (const auto& parameter : step.shared) seen.insert(parameter.unsafeGetTensorImpl());
  for (const auto& list : step.task_parameters) {
    for (const auto& parameter : list) {
      if (seen.insert(parameter.unsafeGetTensorImpl()).second) task_parameters.push_back(parameter);
    }
  }
}

void Engine::State::end() {
  columns.clear();
  task_parameters.clear();
  column_rows.clear();
  task_rows.clear();
  captured = false;
  gramian.reset();
  step = {};
}

void Engine::State::check_weights(int64_t found) const {
  if (found != tasks()) throw Error("{} weights for {} losses", found, tasks());
}

void Engine::State::capture_rows() {
  if (captured) return;
  std::vector<Target> targets;
  for (const auto& column : columns) targets.push_back(engine::target_of(column));
  for (const auto& parameter : task_parameters) targets.push_back(engine::target_of(parameter));
  column_rows.assign(columns.size(), std::vector<Tensor>(step.losses.size()));
  task_rows.assign(task_parameters.size(), std::vector<Tensor>(step.losses.size()));
  for (size_t t = 0; t < step.losses.size(); ++t) {
    auto found = engine::gradients({step.losses[t]}, {Tensor()}, targets);
    for (size_t p = 0; p < columns.size(); ++p) column_rows[p][t] = std::move(found[p]);
    for (size_t p = 0; p < task_parameters.size(); ++p)
      task_rows[p][t] = std::move(found[columns.size() + p]);
  }
  captured = true;
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
    engine::accumulate(task_parameters[p], engine::weighted_sum(task_rows[p], weights));
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
    state_->capture_rows();
    state_->gramian = mtl::gramian(state_->column_rows);
    if (state_->columns.empty()) state_->gramian = Eigen::MatrixXd::Zero(tasks(), tasks());
  }
  return *state_->gramian;
}

std::vector<Eigen::MatrixXd> Engine::gramians(const Groups& groups) {
  state_->capture_rows();
  std::vector<Eigen::MatrixXd> result;
  for (const auto& group : groups) {
    Rows rows;
    for (const auto column : group)
      rows.push_back(state_->column_rows.at(static_cast<size_t>(column)));
    result.push_back(rows.empty() ? Eigen::MatrixXd::Zero(tasks(), tasks()).eval()
                                  : mtl::gramian(rows));
  }
  return result;
}

Eigen::VectorXd Engine::norms() {
  if (state_->gramian) return state_->gramian->diagonal().cwiseSqrt();
  state_->capture_rows();
  return state_->columns.empty() ? Eigen::VectorXd::Zero(tasks()).eval()
                                 : mtl::norms(state_->column_rows);
}

const Rows& Engine::rows() {
  state_->capture_rows();
  return state_->column_rows;
}

std::vector<Tensor> Engine::weighted_sum(const Eigen::VectorXd& weights) {
  state_->check_weights(weights.size());
  state_->capture_rows();
  return mtl::weighted_sum(state_->column_rows, weights);
}

std::vector<Tensor> Engine::weighted_sum(const Groups& groups, const Eigen::MatrixXd& weights) {
  state_->check_weights(weights.rows());
  state_->capture_rows();
  const at::NoGradGuard no_grad;
  std::vector<Tensor> result(state_->columns.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    for (const auto column : groups[g]) {
      const auto p = static_cast<size_t>(column);
      result.at(p) =
          engine::weighted_sum(state_->column_rows[p], weights.col(static_cast<int64_t>(g)));
    }
  }
  return result;
}

Eigen::VectorXd Engine::products(const std::vector<Tensor>& direction) {
  state_->capture_rows();
  return state_->columns.empty() ? Eigen::VectorXd::Zero(tasks()).eval()
                                 : mtl::products(state_->column_rows, direction);
}

void Engine::write_gradients(const Eigen::VectorXd& weights, HeadGradient heads) {
  state_->check_weights(weights.size());
  const Eigen::VectorXd head_weights =
      heads == HeadGradient::weighted ? weights : Eigen::VectorXd::Ones(tasks());
  if (state_->captured) return write_direction(weighted_sum(weights), head_weights);
  const at::NoGradGuard no_grad;
  if (weights == head_weights) {
    auto all = state_->step.shared;
    all.insert(all.end(), state_->task_parameters.begin(), state_->task_parameters.end());
    state_->backward(weights, all);
  } else {
    state_->backward(weights, state_->step.shared);
    state_->backward(head_weights, state_->task_parameters);  // goes no further than the heads
  }
  state_->end();
}

void Engine::write_direction(const std::vector<Tensor>& direction,
                             const Eigen::VectorXd& head_weights) {
  state_->check_weights(head_weights.size());
  const at::NoGradGuard no_grad;
  state_->write_columns(direction);
  if (state_->captured) {
    state_->write_task_parameters(head_weights);
  } else {
    state_->backward(head_weights, state_->task_parameters);
  }
  state_->end();
}

}  // namespace mtl
