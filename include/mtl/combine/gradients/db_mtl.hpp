#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "mtl/combine/direction_combiner.hpp"
#include "mtl/combine/gradients/row_state.hpp"
#include "mtl/combine/loss_values.hpp"

namespace mtl {

/// Dual balancing: of losses by their logarithm, of gradients by running means that are all
/// stretched to the longest.
///     rows = gradients of log(l_t + 1e-8),   y <- rows + beta k^-beta_sigma (y - rows),
///     d = sum_t max_s |y_s| / (|y_t| + 1e-8) y_t
/// at step k = 1, 2, ...; heads receive the gradient of sum_t log l_t. `aggregate` takes the rows
/// as they are given. Lin et al., 2023 (arXiv 2308.12029).
class DbMtl : public DirectionCombiner {
 public:
  static constexpr std::string_view name = "db_mtl";
  struct Options {
    double beta = 0.9, beta_sigma = 0;                  ///< of the running mean; beta 0: none
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    void describe(OptionVisitor& option) {
      option.number("beta", beta, below_one);
      option.number("beta_sigma", beta_sigma, not_negative);
      describe_site(option, at);
    }
  };
  DbMtl() : DbMtl(Options{}) {}
  explicit DbMtl(const Options& options)
      : DirectionCombiner(options.at), options_(checked(options, name)) {}

  /// FaultyStep: a loss below zero; a loss or gradient that is NaN or infinite.
  inline void backward(const TaskLosses& losses, const Parameters& parameters) override;
  Direction direction(const Rows& rows) override {
    return direction_of(unknown_losses(rows), rows);
  }
  inline Direction direction_of(const TaskLosses& step, const Rows& rows) override;
  void set_task_count(int64_t tasks) override { steps_.set_task_count(tasks); }
  NamedTensors state_dict() const override {
    NamedTensors state = saved_numbers({&steps_});
    mean_.save(state, "mean");
    return state;
  }
  void load_state_dict(const NamedTensors& state) override {
    RowState loaded;
    loaded.load(state, "mean");
    load_numbers(state, {&steps_}, RowState::names(state, "mean"));
    mean_ = std::move(loaded);
  }

 private:
  Options options_;
  RowState mean_;  // y
  TaskNumbers steps_{"steps", 0};
};

inline void DbMtl::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;
  const at::AutoGradMode with_graph(true);  // also under NoGradGuard, as backward()
  check_losses(losses);
  loss_numbers(losses, name, LossRange::at_least_zero);
  TaskLosses logarithms = losses;
  for (Tensor& value : logarithms.values) value = torch::log(value + 1e-8);
  DirectionCombiner::backward(logarithms, parameters);
}

inline Direction DbMtl::direction_of(const TaskLosses& step, const Rows& rows) {
  mean_.check(rows, step.tasks);
  Eigen::VectorXd steps = steps_.present(step);
  for (double& k : steps) k += 1;
  steps_.keep(step, steps);
  Rows means(rows.size());
  for (size_t p = 0; p < rows.size(); ++p) {
    const auto all = dense_rows(rows[p]);
    means[p].resize(step.tasks.size());
    for (size_t i = 0; i < all.size(); ++i) {
      if (options_.beta == 0) {
        means[p][i] = all[i];
        continue;
      }
      Tensor& mean = mean_.at(p, step.tasks[i], all[i]);
      const double kept =
          options_.beta * std::pow(steps[static_cast<Eigen::Index>(i)], -options_.beta_sigma);
      mean.mul_(kept).add_(all[i], 1 - kept);
      means[p][i] = mean;
    }
  }
  Eigen::VectorXd factors = norms(means);
  const double longest = factors.maxCoeff();
  for (double& factor : factors) factor = longest / (factor + 1e-8);
  return {weighted_sum(means, factors), Eigen::VectorXd::Ones(step.size())};
}

}  // namespace mtl
