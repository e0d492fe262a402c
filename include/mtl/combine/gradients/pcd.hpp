#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/solvers/dual_cone.hpp"
#include "mtl/combine/solvers/vectors.hpp"

namespace mtl {

/// Priority-constrained descent: the first task of the registry is the objective, the others are
/// constraints that each get at least a fraction tau of the progress their own gradient would give.
///     d~ = argmin .5 |d - g~_1|^2   subject to  g~_j'd >= tau |g~_j|^2,  j = 2..T,
///     g~_i = g_i / sqrt(v_i + eps),  v_i the bias-corrected running mean of |g_i|^2;
/// the direction is d~ at the length of g_1. Constraints that no direction meets are dropped: the
/// direction is then g_1. Zero where g_1 or d~ is zero. With the first task absent from a batch the
/// first present one takes its place. As TorchJD 0.18 defines it (arXiv 2606.29521).
class Pcd : public GradientCombiner {
 public:
  static constexpr std::string_view name = "pcd";
  struct Options {
    double tau = 0.02;                                  ///< in [0, 1]
    double beta = 0.999;                                ///< of the running mean, in [0, 1)
    double eps = 1e-8;                                  ///< >= 0
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
    void describe(OptionVisitor& option) {
      option.number("tau", tau, zero_to_one);
      option.number("beta", beta, below_one);
      option.number("eps", eps, not_negative);
      describe_site(option, at, every);
    }
  };
  Pcd() : Pcd(Options{}) {}
  explicit Pcd(const Options& options)
      : GradientCombiner({options.at, options.every}), options_(checked(options, name)) {}

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    return weights_of(unknown_losses(gramian.rows()), gramian);
  }
  inline Eigen::VectorXd weights_of(const TaskLosses& rows,
                                    const Eigen::MatrixXd& gramian) override;
  void set_task_count(int64_t tasks) override {
    GradientCombiner::set_task_count(tasks);
    mean_square_.set_task_count(tasks);
    steps_.set_task_count(tasks);
  }
  NamedTensors state_dict() const override { return saved({&mean_square_, &steps_}); }
  void load_state_dict(const NamedTensors& state) override {
    load(state, {&mean_square_, &steps_});
  }

 protected:
  bool keeps_zero_rows() const override { return true; }

 private:
  /// 1 / sqrt(v + eps) [P], after this step's squares [P].
  Eigen::VectorXd scales(const TaskLosses& rows, const Eigen::MatrixXd& gramian);

  Options options_;
  TaskNumbers mean_square_{"mean_square", 0}, steps_{"steps", 0};
};

inline Eigen::VectorXd Pcd::scales(const TaskLosses& rows, const Eigen::MatrixXd& gramian) {
  Eigen::VectorXd mean = mean_square_.present(rows), steps = steps_.present(rows);
  Eigen::VectorXd scales(mean.size());
  for (Eigen::Index i = 0; i < mean.size(); ++i) {
    mean[i] = options_.beta * mean[i] + (1 - options_.beta) * gramian(i, i);
    steps[i] += 1;
    const double root = std::sqrt(mean[i] / (1 - std::pow(options_.beta, steps[i])) + options_.eps);
    scales[i] = root > 0 ? 1 / root : 0;
  }
  mean_square_.keep(rows, mean);
  steps_.keep(rows, steps);
  return scales;
}

inline Eigen::VectorXd Pcd::weights_of(const TaskLosses& rows, const Eigen::MatrixXd& gramian) {
  const Eigen::Index n = gramian.rows(), others = n - 1;
  const Eigen::VectorXd scale = scales(rows, gramian);
  Eigen::VectorXd weights = Eigen::VectorXd::Zero(n);
  stationary_ = !(gramian(0, 0) > 0);
  if (stationary_) return weights;
  // d~ = g~_1 + x with x the shortest that brings every product up to what is asked.
  const Eigen::MatrixXd g = solvers::scaled(gramian, scale);
  weights[0] = 1;
  if (others > 0) {
    Eigen::VectorXd asked(others);
    for (Eigen::Index j = 0; j < others; ++j)
      asked[j] = options_.tau * g(j + 1, j + 1) - g(j + 1, 0);
    if (const auto u = solvers::shortest_with_products(solvers::without_first(g), asked))
      std::copy_n(u->data(), others, weights.data() + 1);
  }
  const double squared = solvers::squared_length(g, weights);
  double terms = 0;
  for (Eigen::Index i = 0; i < n; ++i) terms += weights[i] * std::sqrt(g(i, i));
  constexpr double epsilon = std::numeric_limits<double>::epsilon();
  stationary_ = squared <= 4 * static_cast<double>(n) * epsilon * terms * terms;
  const double length = stationary_ ? 0 : std::sqrt(gramian(0, 0) / squared);
  return solvers::times(length, solvers::times(weights, scale));
}

}  // namespace mtl
