#pragma once

#include <Eigen/Core>
#include <optional>
#include <string>
#include <vector>

#include "graph.hpp"
#include "linear_rows.hpp"
#include "mtl/combine/engine/engine.hpp"
#include "replay.hpp"
#include "shared_rows.hpp"
#include "workspace.hpp"

namespace mtl {

/// The step under way, and what is kept between steps.
struct Engine::State {
  using Tensor = at::Tensor;

  EngineOptions options;
  // The lists last handed over, and each of their tensors once: hashing them each step would cost
  // more than a small net's forward.
  std::vector<Tensor> given_shared;
  std::vector<std::vector<Tensor>> given_by_task;
  std::vector<Tensor> shared, of_tasks;
  // The step under way.
  std::vector<Tensor> losses;
  std::vector<std::string> names;
  std::vector<Tensor> representation;          // one, or none: J is the gradient at `shared`
  const engine::RowsOfShare* share = nullptr;  // of the representation; null: all rows are here
  std::vector<Tensor> behind;  // what receives its gradient through the representation
  std::vector<Tensor> others;  // leaves that the losses reach, where no list says which
  bool captured = false;
  Rows column_rows;                        // [column][task]; nothing for the columns of `layers`
  std::vector<engine::LinearRows> layers;  // rows not yet multiplied out
  Rows task_rows;                          // [task parameter][task]
  std::optional<Eigen::MatrixXd> gramian;
  engine::Workspace workspace;

  int64_t tasks() const { return static_cast<int64_t>(losses.size()); }
  bool at_representation() const { return !representation.empty(); }
  const std::vector<Tensor>& columns() const {
    return at_representation() ? representation : shared;
  }
  std::vector<bool> all() const { return std::vector<bool>(columns().size(), true); }
  const std::vector<Tensor>& task_parameters() const {
    return given_by_task.empty() ? others : of_tasks;
  }

  void begin(const TaskLosses& next, const Parameters& parameters, GradientSite at);
  void take_lists(const Parameters& parameters);
  void find_others();
  /// What all processes have of numbers that are sums over the columns' elements.
  Eigen::MatrixXd over_all_rows(Eigen::MatrixXd numbers) const {
    return share == nullptr ? numbers : share->sum(numbers);
  }
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

}  // namespace mtl
