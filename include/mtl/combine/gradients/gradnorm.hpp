#pragma once

#include <Eigen/Core>

#include <cmath>
#include <string_view>
#include <vector>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/solvers/simplex.hpp"
#include "mtl/combine/solvers/vectors.hpp"
#include "mtl/combine/task_count.hpp"
#include "mtl/combine/task_gradients.hpp"

namespace mtl {

/// Learns weights under which all tasks train at like speed: the weighted gradient norms are drawn
/// to their mean times the task's relative inverse training rate.
///     w = T softmax(logits),   r_t = (l_t / l_t(0)) / mean,
///     logits minimise  sum_t | w_t |g_t| - mean(w |g|) r_t^alpha |   (the target held constant)
/// The logits join the optimizer as parameters of the combiner; a task absent from a batch keeps
/// its own. Only the norms are computed. Chen et al., ICML 2018 (arXiv 1711.02257).
class GradNorm : public GradientCombiner {
 public:
  static constexpr std::string_view name = "gradnorm";
  struct Options {
    double alpha = 1.5;                                 ///< how hard slow tasks are helped
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    void describe(OptionVisitor& option) {
      option.number("alpha", alpha, not_negative);
      describe_site(option, at);
    }
  };
  GradNorm() : GradNorm(TaskCount{}, Options{}) {}
  explicit GradNorm(const Options& options) : GradNorm(TaskCount{}, options) {}
  /// Without tasks their number is that of the first step.
  explicit GradNorm(TaskCount tasks) : GradNorm(tasks, Options{}) {}
  GradNorm(TaskCount tasks, const Options& options)
      : GradientCombiner({options.at, 1}),
        alpha_(checked(options, name).alpha),
        logits_("logits", 0, tasks.value),
        first_("first_losses", 0, tasks.value) {}

  /// GradNorm's own loss of T tasks, all vectors [T].
  struct Balance {
    Eigen::VectorXd weights;
    double loss = 0;
    Eigen::VectorXd gradient;  ///< of the loss with respect to the logits
  };
  static Balance balance(const Eigen::VectorXd& logits, const Eigen::VectorXd& norms,
                         const Eigen::VectorXd& losses, const Eigen::VectorXd& first_losses,
                         double alpha);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    return weights_of(unknown_losses(gramian.rows()), gramian);
  }
  /// As for tasks that train at one rate.
  Eigen::VectorXd weights_of(const TaskLosses& rows, const Eigen::MatrixXd& gramian) override {
    const Eigen::VectorXd ones = Eigen::VectorXd::Ones(gramian.rows());
    return balance(logits_.present(rows), solvers::lengths(gramian), ones, ones, alpha_).weights;
  }
  /// FaultyStep: a loss that is not positive; a loss or gradient that is NaN or infinite.
  inline void backward(const TaskLosses& losses, const Parameters& parameters) override;
  void set_task_count(int64_t tasks) override {
    logits_.set_task_count(tasks);
    first_.set_task_count(tasks);
  }
  /// The logits, one scalar a task. Error: the number of tasks is not known yet.
  std::vector<Tensor> parameters() override { return logits_.parameters(); }
  NamedTensors state_dict() const override { return saved({&logits_, &first_}); }
  void load_state_dict(const NamedTensors& state) override { load(state, {&logits_, &first_}); }

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }
  bool keeps_zero_rows() const override { return true; }

 private:
  double alpha_;
  TaskNumbers logits_;
  TaskNumbers first_;  // losses of each task's first step; 0: not seen yet
};

inline GradNorm::Balance GradNorm::balance(const Eigen::VectorXd& logits,
                                           const Eigen::VectorXd& norms,
                                           const Eigen::VectorXd& losses,
                                           const Eigen::VectorXd& first_losses, double alpha) {
  const Eigen::Index n = logits.size();
  const auto count = static_cast<double>(n);
  Balance result;
  result.weights = solvers::times(count, solvers::softmax(logits));
  const Eigen::VectorXd weighted = solvers::times(result.weights, norms);
  Eigen::VectorXd rate(n);
  for (Eigen::Index t = 0; t < n; ++t) rate[t] = losses[t] / first_losses[t];
  const double mean = weighted.mean(), mean_rate = rate.mean();
  // d loss / d w_t = +-|g_t|, through w = T softmax(logits).
  Eigen::VectorXd slope(n);
  for (Eigen::Index t = 0; t < n; ++t) {
    const double beyond = weighted[t] - mean * std::pow(rate[t] / mean_rate, alpha);
    result.loss += std::abs(beyond);
    slope[t] = beyond > 0 ? norms[t] : beyond < 0 ? -norms[t] : 0;
  }
  result.gradient = solvers::times(
      count, solvers::through_softmax(solvers::divided(result.weights, count), slope));
  return result;
}

inline void GradNorm::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;
  const auto guard = begin(losses, parameters);
  const Eigen::VectorXd now = loss_numbers(losses, name, LossRange::above_zero);
  Eigen::VectorXd first = first_.present(losses);
  for (Eigen::Index i = 0; i < now.size(); ++i)
    if (first[i] == 0) first[i] = now[i];
  const Eigen::VectorXd lengths = engine().norms();
  require_finite(lengths, losses.names);
  const Balance found = balance(logits_.present(losses), lengths, now, first, alpha_);
  if (step_reports()) make_report(losses, engine().gramian(), found.weights);
  engine().write_gradients(found.weights, heads());
  first_.keep(losses, first);
  logits_.add_gradient(losses, found.gradient);
}

}  // namespace mtl
