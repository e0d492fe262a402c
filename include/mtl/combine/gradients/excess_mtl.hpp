#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "mtl/combine/direction_combiner.hpp"
#include "mtl/combine/gradients/row_state.hpp"
#include "mtl/combine/gradients/task_shares.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/solvers/simplex.hpp"

namespace mtl {

/// Robust learning with excess risks: tasks that are still far from their optimum, as judged by
/// their gradient and not by their (perhaps noisy) loss, gain weight.
///     h_t += g_t^2,   excess_t = sum g_t^2 / sqrt(h_t + 1e-7),   relative to its first value,
///     w <- softmax(log w + step_size excess)
/// The heads are weighted, too; that of a task whose gradient is zero takes its own.
/// He et al., ICML 2024 (arXiv 2402.02009).
class ExcessMtl : public DirectionCombiner {
 public:
  static constexpr std::string_view name = "excess_mtl";
  struct Options {
    double step_size = 1e-2;                            ///< LibMTL's; TorchJD takes 1
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    void describe(OptionVisitor& option) {
      option.number("step_size|step", step_size, positive);
      describe_site(option, at);
    }
  };
  ExcessMtl() : ExcessMtl(Options{}) {}
  explicit ExcessMtl(const Options& options)
      : DirectionCombiner(options.at), step_size_(checked(options, name).step_size) {}

  Direction direction(const Rows& rows) override {
    return direction_of(unknown_losses(rows), rows);
  }
  inline Direction direction_of(const TaskLosses& step, const Rows& rows) override;
  void set_task_count(int64_t tasks) override {
    weights_.numbers().set_task_count(tasks);
    initial_.set_task_count(tasks);
  }
  NamedTensors state_dict() const override {
    NamedTensors state = saved_numbers({&weights_.numbers(), &initial_});
    squares_.save(state, "squares");
    return state;
  }
  void load_state_dict(const NamedTensors& state) override {
    RowState loaded;
    loaded.load(state, "squares");
    load_numbers(state, {&weights_.numbers(), &initial_}, RowState::names(state, "squares"));
    squares_ = std::move(loaded);
  }

 private:
  /// By row, [P], after h has taken this step's squares.
  Eigen::VectorXd excess(const TaskLosses& step, const Rows& rows);

  double step_size_;
  RowState squares_;  // h
  TaskShares weights_{"weights"};
  TaskNumbers initial_{"initial", 0};  // 0: not seen yet
};

inline Eigen::VectorXd ExcessMtl::excess(const TaskLosses& step, const Rows& rows) {
  std::vector<Tensor> excess(step.tasks.size(), torch::zeros({}, torch::kDouble));
  for (size_t p = 0; p < rows.size(); ++p)
    for (size_t i = 0; i < rows[p].size(); ++i) {
      if (!rows[p][i].defined()) continue;
      // Of many steps, which a type of few digits would lose.
      const Tensor row = rows[p][i].detach();
      const Tensor squared = row.to(at::promote_types(row.scalar_type(), torch::kFloat)).square();
      Tensor& sum = squares_.at(p, step.tasks[i], squared);
      sum.add_(squared);
      // A number on the CPU may be added to one on a device, and the sum is there.
      excess[i] = excess[i] + (squared / (sum + 1e-7).sqrt()).sum(torch::kDouble);
    }
  return read_together(excess);
}

inline Direction ExcessMtl::direction_of(const TaskLosses& step, const Rows& rows) {
  squares_.check(rows, step.tasks);
  Eigen::VectorXd logits = weights_.present(step), first = initial_.present(step);
  const Eigen::VectorXd found = excess(step, rows);
  for (Eigen::Index i = 0; i < logits.size(); ++i) {
    const double relative = first[i] > 0 ? found[i] / (first[i] + 1e-7) : found[i];
    if (!(first[i] > 0)) first[i] = std::max(found[i], std::numeric_limits<double>::min());
    logits[i] = std::log(logits[i]) + step_size_ * relative;
  }
  initial_.keep(step, first);
  weights_.deal(step, solvers::softmax(logits));
  const Eigen::VectorXd w = weights_.present(step);
  Direction chosen{weighted_sum(rows, w), w};
  for (Eigen::Index i = 0; i < w.size(); ++i)
    if (!(found[i] > 0)) chosen.head_weights[i] = 1;
  return chosen;
}

}  // namespace mtl
