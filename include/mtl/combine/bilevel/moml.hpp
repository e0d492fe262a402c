#pragma once

#include <Eigen/Core>

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/combine/bilevel/trial.hpp"
#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/options.hpp"
#include "mtl/combine/solvers/min_norm.hpp"
#include "mtl/combine/solvers/simplex.hpp"
#include "mtl/combine/solvers/vectors.hpp"
#include "mtl/combine/state/task_adam.hpp"
#include "mtl/combine/task_gradients.hpp"

namespace mtl {

/// Multi-objective meta learning: as Auto-Lambda, but every task's validation loss is an objective
/// of its own, and the weights move where none of them rises.
///     theta' = theta - inner_lr grad sum p_t l_t,   p = softmax(a)
///     h_s = d v_s(theta') / da = -inner_lr (p o c_s - (p . c_s) p),   c_st = grad v_s . grad l_t
///     a <- Adam step along the shortest vector in the convex hull of the h_s
///     .grad = grad sum p_t l_t
/// The products c are exact. A step costs a backward pass for every task of the training batch and
/// one for every task of the validation batch. With one task in the registry there is nothing to
/// weigh: .grad is its gradient. The model is put back, and validation losses v come, as with
/// Auto-Lambda.
/// Ye, Lin, Yue, Guo, Xiao, Zhang, NeurIPS 2021 (arXiv 2102.07121).
class Moml : public Combiner {
 public:
  static constexpr std::string_view name = "moml";
  enum class Scale { none, l2 };  // what the h_s are divided by before they are weighed
  struct Options {
    double lr = 1e-3;         ///< of Adam on a; the authors'
    double inner_lr = 0.1;    ///< of the trial step; the authors' code, LibMTL (the paper's 1e-4)
    Scale scale = Scale::l2;  ///< the authors'; none: as the formula has it, small h_s decide
    /// Losses of a validation batch on the parameters as they are; empty: `another_batch`.
    std::function<TaskLosses()> validation{};
    void describe(OptionVisitor& option) {
      option.number("lr", lr, positive);
      option.number("inner_lr", inner_lr, positive);
      option.choice("scale", scale, {{"none", Scale::none}, {"l2", Scale::l2}});
    }
  };
  Moml() : Moml(Options{}) {}
  /// Error: a rate that is not positive and finite.
  explicit Moml(Options options);

  /// Error: no validation. FaultyStep: a loss or gradient that is not finite, by its task's name.
  inline void backward(const TaskLosses& losses, const Parameters& parameters) override;
  void set_task_count(int64_t tasks) override { logits_.set_task_count(tasks); }
  /// a, [T]; empty while the number of tasks is not known. Over the tasks of a batch the weights
  /// are softmax(a).
  Eigen::VectorXd logits() const { return logits_.all(); }
  NamedTensors state_dict() const override { return saved_numbers(logits_.parts()); }
  void load_state_dict(const NamedTensors& state) override { load_numbers(state, logits_.parts()); }

 private:
  void learn(const TaskLosses& losses, const TaskLosses& validation, const Rows& rows,
             const std::vector<Tensor>& parameters);

  Options options_;
  TaskAdam logits_;
};

inline Moml::Moml(Options options)
    : options_(checked(std::move(options), name)), logits_(0, options_.lr) {}

inline void Moml::backward(const TaskLosses& losses, const Parameters& parameters) {
  using namespace combine_detail;
  if (losses.size() == 0) return;
  const at::AutoGradMode with_graph(true);  // also under NoGradGuard, as backward()
  check_step(losses, parameters);
  if (losses.task_count == 1) return losses.values.front().backward();
  Trial trial(losses, parameters);
  const Rows rows = task_gradients(losses, trial.parameters());
  trial.move(weighted_sum(rows, solvers::softmax(logits_.present(losses))), -options_.inner_lr);
  const TaskLosses validation = validation_losses(options_.validation, losses, name);
  if (validation.size() > 0) learn(losses, validation, rows, trial.parameters());
  const Eigen::VectorXd p = solvers::softmax(logits_.present(losses));
  trial.accumulate(weighted_sum(rows, p));
  if (step_reports()) {
    trial.restore();  // the graph is that of the parameters before the trial
    make_report(losses, parameters, p);
  }
}

inline void Moml::learn(const TaskLosses& losses, const TaskLosses& validation, const Rows& rows,
                        const std::vector<Tensor>& parameters) {
  const Rows upper = task_gradients(validation, parameters);
  const Eigen::VectorXd p = solvers::softmax(logits_.present(losses));
  std::vector<Eigen::VectorXd> slopes;
  std::vector<Tensor> row(upper.size());
  for (size_t s = 0; s < validation.values.size(); ++s) {
    for (size_t i = 0; i < upper.size(); ++i) row[i] = upper[i][s];
    const Eigen::VectorXd slope =
        solvers::times(-options_.inner_lr, solvers::through_softmax(p, products(rows, row)));
    const double length = options_.scale == Scale::l2 ? solvers::length(slope) : 1;
    slopes.push_back(length > 0 ? solvers::divided(slope, length) : slope);
  }
  const auto count = static_cast<Eigen::Index>(slopes.size());
  Eigen::MatrixXd products_of_slopes(count, count);
  for (Eigen::Index i = 0; i < count; ++i)
    for (Eigen::Index j = 0; j < count; ++j)
      products_of_slopes(i, j) =
          solvers::dot(slopes[static_cast<size_t>(i)], slopes[static_cast<size_t>(j)]);
  const Eigen::VectorXd shares = solvers::min_norm_point(products_of_slopes).weights;
  Eigen::VectorXd shortest = Eigen::VectorXd::Zero(p.size());
  for (Eigen::Index s = 0; s < count; ++s)
    solvers::add(shortest, shares[s], slopes[static_cast<size_t>(s)]);
  logits_.descend(losses, shortest);
}

}  // namespace mtl
