#pragma once

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <string_view>

#include "mtl/combine/direction_combiner.hpp"
#include "mtl/combine/gradients/row_state.hpp"
#include "mtl/combine/gradients/task_shares.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/solvers/simplex.hpp"
#include "mtl/combine/solvers/vectors.hpp"

namespace mtl {

/// Multi-objective gradient with correction: weights and direction from running means of the task
/// gradients, which removes the bias of single batches.
///     y <- y + beta k^-beta_sigma (l g/|g| - y),
///     w <- softmax(w - gamma k^-gamma_sigma (YY' + rho I) w),   d = Y'w
/// at step k = 1, 2, ..., rows at the length of their losses as in the authors' code (`aggregate`
/// knows no losses and takes 1). The heads are weighted, too; that of a task whose gradient is zero
/// takes its own. Fernando et al., ICLR 2023 (arXiv 2210.12624).
class MoCo : public DirectionCombiner {
 public:
  static constexpr std::string_view name = "moco";
  struct Options {
    double beta = 0.5, beta_sigma = 0.5;                ///< of the running mean
    double gamma = 0.1, gamma_sigma = 0.5;              ///< of the weights
    double rho = 0;                                     ///< draws the weights together
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    void describe(OptionVisitor& option) {
      option.number("beta", beta, positive);
      option.number("beta_sigma", beta_sigma, not_negative);
      option.number("gamma", gamma, not_negative);
      option.number("gamma_sigma", gamma_sigma, not_negative);
      option.number("rho", rho, not_negative);
      describe_site(option, at);
    }
  };
  MoCo() : MoCo(Options{}) {}
  explicit MoCo(const Options& options)
      : DirectionCombiner(options.at), options_(checked(options, name)) {}

  Direction direction(const Rows& rows) override {
    return direction_of(unknown_losses(rows), rows);
  }
  /// FaultyStep: a loss below zero.
  inline Direction direction_of(const TaskLosses& step, const Rows& rows) override;
  void set_task_count(int64_t tasks) override {
    weights_.numbers().set_task_count(tasks);
    steps_.set_task_count(tasks);
  }
  NamedTensors state_dict() const override {
    NamedTensors state = saved_numbers({&weights_.numbers(), &steps_});
    mean_.save(state, "mean");
    return state;
  }
  void load_state_dict(const NamedTensors& state) override {
    RowState loaded;
    loaded.load(state, "mean");
    load_numbers(state, {&weights_.numbers(), &steps_}, RowState::names(state, "mean"));
    mean_ = std::move(loaded);
  }

 private:
  Options options_;
  RowState mean_;  // y
  TaskShares weights_{"weights"};
  TaskNumbers steps_{"steps", 0};
};

inline Direction MoCo::direction_of(const TaskLosses& step, const Rows& rows) {
  mean_.check(rows, step.tasks);
  const Eigen::VectorXd lengths = norms(rows);
  // Of gradients alone nobody knows the losses.
  const Eigen::VectorXd losses = step.values.front().defined()
                                     ? loss_numbers(step, name, LossRange::at_least_zero)
                                     : Eigen::VectorXd::Ones(lengths.size());
  Eigen::VectorXd steps = steps_.present(step), factors(lengths.size());
  for (Eigen::Index i = 0; i < factors.size(); ++i) {
    steps[i] += 1;
    factors[i] = losses[i] / (lengths[i] + 1e-8);
  }
  steps_.keep(step, steps);
  Rows means(rows.size());
  for (size_t p = 0; p < rows.size(); ++p) {
    const auto all = dense_rows(rows[p]);
    means[p].resize(step.tasks.size());
    for (size_t i = 0; i < all.size(); ++i) {
      const auto row = static_cast<Eigen::Index>(i);
      Tensor& mean = mean_.at(p, step.tasks[i], all[i]);
      mean.add_(all[i].to(mean.scalar_type()) * factors[row] - mean,
                options_.beta * std::pow(steps[row], -options_.beta_sigma));
      means[p][i] = mean;
    }
  }
  const double gamma = options_.gamma * std::pow(steps.maxCoeff(), -options_.gamma_sigma);
  Eigen::VectorXd logits = weights_.present(step);
  const Eigen::VectorXd slopes = solvers::product(gramian(means), logits);
  for (Eigen::Index i = 0; i < logits.size(); ++i)
    logits[i] -= gamma * (slopes[i] + options_.rho * logits[i]);
  weights_.deal(step, solvers::softmax(logits));
  const Eigen::VectorXd w = weights_.present(step);
  Direction chosen{weighted_sum(means, w), w};
  for (Eigen::Index i = 0; i < w.size(); ++i)
    if (!(lengths[i] > 0)) chosen.head_weights[i] = 1;
  return chosen;
}

}  // namespace mtl
