#pragma once

#include <functional>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/task_weights.hpp"

namespace mtl {

/// Auto-Lambda: weights under which one step on the training batch lowers the validation losses of
/// the primary tasks.
///     theta' = theta - inner_lr grad sum w_t l_t
///     w <- Adam step along  d/dw_t sum_s primary_s v_s(theta') = -inner_lr grad l_t . d,  w >= 0
///     .grad = grad sum w_t l_t                          d = grad sum_s primary_s v_s at theta'
/// The products with d are differences of losses, as in the paper: (l_t(theta + e d) -
/// l_t(theta - e d)) / 2e, e = .01 / |d|. Because the training loss is linear in w, no derivative
/// is taken there: two forward passes do, whatever the number of tasks, and both draw the same
/// dropout. A step costs three backward and three more forward passes.
///
/// Parameters and buffers of the model are put back bit for bit, also where something throws; the
/// further passes leave no trace in running statistics. Validation losses v: `validation`, or the
/// next training batch (`TaskLosses::another_batch`).
/// Liu, James, Davison, Johns, TMLR 2022 (arXiv 2202.03091).
class AutoLambda : public Combiner {
 public:
  struct Options {
    double lr = 1e-4;               ///< of Adam on w; the paper's for NYUv2 (3e-5 for CityScapes)
    double inner_lr = 0.1;          ///< of the trial step; the paper's is the optimizer's own rate
    double start = 0.1;             ///< first weight of every task; the paper's
    std::vector<double> primary{};  ///< factors of the validation losses, one a task; empty: 1 each
    /// Losses of a validation batch on the parameters as they are; empty: `another_batch`.
    std::function<TaskLosses()> validation{};
  };
  AutoLambda() : AutoLambda(Options{}) {}
  /// Error: a rate or start that is not positive; a negative factor, or none above 0.
  explicit AutoLambda(Options options);

  /// Error: no validation or no same batch; a loss that is not finite on trial, by its task's name.
  void backward(const TaskLosses& losses, const Parameters& parameters) override;
  /// w, [T]; empty before the first step.
  const Eigen::VectorXd& weights() const { return weights_.all(); }
  NamedTensors state_dict() const override { return weights_.state_dict(); }
  void load_state_dict(const NamedTensors& state) override { weights_.load_state_dict(state); }

 private:
  void learn(const TaskLosses& losses, const Parameters& parameters);

  Options options_;
  TaskWeights weights_;
};

}  // namespace mtl
