#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/engine/engine.hpp"

namespace mtl {

/// Where the task gradients are compared: at the shared parameters (exact), or at the shared
/// representation (cheaper: one backward pass through the encoder, whatever the number of tasks).
enum class GradientSite { shared_parameters, representation };

/// What every method on gradients can be told.
struct GradientOptions {
  GradientSite at = GradientSite::shared_parameters;
  int64_t every = 1;  // solve anew every that many steps and keep the weights in between
};

/// What gradient and direction combiners share: the engine, the parameters, the rules for
/// degenerate rows.
class EngineCombiner : public Combiner {
 public:
  EngineCombiner() = default;
  explicit EngineCombiner(const GradientOptions& options);

  /// For a combiner that wraps another: the inner one works on the outer one's step.
  void share_step(const EngineCombiner& outer) { step_ = outer.step_; }

 protected:
  /// Hands the step to the engine. Error: a loss that is not one number, losses of which none has
  /// a graph, an undefined parameter, lists of another number of tasks.
  void begin(const TaskLosses& losses, const Parameters& parameters);
  Engine& engine() { return engine_; }

  /// The present tasks of this step; `tasks[i]` is the registry index that state is kept by.
  const TaskLosses& step() const { return *step_; }

  GradientOptions gradient_options_;

 private:
  friend Tensor aggregate(Combiner& combiner, const Tensor& jacobian);
  const TaskLosses* step_ = nullptr;
  Engine engine_;
  // The lists last handed over, and each of their tensors once: hashing them each step would cost
  // more than a small net's forward.
  Parameters given_;
  std::vector<Tensor> shared_, of_tasks_;
};

/// A combiner that says how to weigh gradients, from their Gramian alone.
///
///     struct MyWeights : mtl::GradientCombiner {
///       Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override { ... }
///     };
///
/// The base computes G exactly and cheaply, applies the rules that hold for every method (one task,
/// missing labels, zero rows, NaN), writes J^T w to the shared parameters and the heads' gradients
/// to theirs.
class GradientCombiner : public EngineCombiner {
 public:
  using EngineCombiner::EngineCombiner;

  /// `gramian` [T, T] = J J^T of the active tasks, finite, without zero rows unless
  /// `keeps_zero_rows()`. Returns T weights. Which tasks these are: `active()`.
  virtual Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) = 0;

  void backward(const TaskLosses& losses, const Parameters& parameters) override;

  /// The weights of all present tasks: the rules for degenerate rows around `weights`. [T, T] ->
  /// [T]. Error: an entry of G that is NaN or infinite names its task.
  Eigen::VectorXd solve(const Eigen::MatrixXd& gramian);

 protected:
  /// What the heads receive; each paper says which.
  virtual HeadGradient heads() const { return HeadGradient::plain; }
  /// True for methods whose answer a zero row decides (MGDA: the zero direction).
  virtual bool keeps_zero_rows() const { return false; }
  /// Positions in `step()` of the rows that `weights` sees.
  const std::vector<int64_t>& active() const { return active_; }
  /// Set by `weights` where no direction helps every task; goes into the report.
  bool stationary_ = false;

 private:
  std::vector<int64_t> active_;
  Eigen::VectorXd kept_weights_;  // by registry index, for the steps between two solutions
  int64_t steps_until_solve_ = 0;
};

/// The direction a combiner takes, and the weights of the heads' losses.
struct Direction {
  std::vector<Tensor> by_parameter;  // shaped as the columns' tensors; undefined: zero
  Eigen::VectorXd head_weights;      // [T]
};

/// A combiner that needs the rows themselves (element-wise methods). Rows are kept by parameter and
/// never joined.
class DirectionCombiner : public EngineCombiner {
 public:
  using EngineCombiner::EngineCombiner;

  virtual Direction direction(const Rows& rows) = 0;

  void backward(const TaskLosses& losses, const Parameters& parameters) override;
};

/// A gradient combiner from a function of G: auto combiner = gradient_combiner([](const
/// Eigen::MatrixXd& g) { ... });
template <class F>
auto gradient_combiner(F weights) {
  struct FromFunction : GradientCombiner {
    explicit FromFunction(F f) : function(std::move(f)) {}
    Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override { return function(gramian); }
    F function;
  };
  return FromFunction(std::move(weights));
}

/// The mathematics of a combiner alone, on any problem: `jacobian` [T, P] -> direction [P], of the
/// same dtype and device. A stateful combiner steps its state. A loss combiner weighs the rows as
/// it would weigh losses of 1. Error: a Jacobian that is not a matrix; a row that is not finite; a
/// combiner that needs losses on several parameters (bilevel).
Tensor aggregate(Combiner& combiner, const Tensor& jacobian);

}  // namespace mtl
