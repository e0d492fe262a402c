#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/engine/engine.hpp"
#include "mtl/combine/options.hpp"
#include "mtl/combine/solvers/spectrum.hpp"
#include "mtl/combine/state/task_numbers.hpp"

namespace mtl {

/// What every method on gradients can be told.
struct GradientOptions {
  GradientSite at = GradientSite::shared_parameters;
  int64_t every = 1;  ///< solve anew every that many steps and keep the weights in between
};

/// The same for the options of a method, in the words of make_combiner.
inline void describe_site(OptionVisitor& option, GradientSite& at) {
  option.choice("at", at,
                {{"shared_parameters", GradientSite::shared_parameters},
                 {"representation", GradientSite::representation}});
}
inline void describe_site(OptionVisitor& option, GradientSite& at, int64_t& every) {
  describe_site(option, at);
  option.count("every", every, 1);
}

/// A combiner that says how to weigh gradients, from their Gramian alone.
///
///     struct MyWeights : mtl::GradientCombiner {
///       Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override { ... }
///     };
///
/// The base computes G exactly and cheaply, applies the rules that hold for every method (one task,
/// missing labels, zero rows, NaN), writes J^T w to the shared parameters and the heads' gradients
/// to theirs.
class GradientCombiner : public Combiner {
 public:
  GradientCombiner() = default;
  /// Error: `every` is below 1.
  explicit GradientCombiner(const GradientOptions& options);

  /// `gramian` [T, T] = J J^T of some tasks, finite, without zero rows unless `keeps_zero_rows()`.
  /// Returns T weights.
  virtual Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) = 0;
  /// The same for a method that asks whose rows these are: row i of G is the gradient of loss i of
  /// `rows`. Losses may be undefined (`aggregate`). Here: `weights`.
  virtual Eigen::VectorXd weights_of(const TaskLosses& rows, const Eigen::MatrixXd& gramian);

  /// The same for a method that may ask more of the rows than G, in double precision, can tell:
  /// `gramian_of` is the Gramian [K,K] of K combinations [K,T] of them. Here: `weights_of`.
  using GramianOf = solvers::GramianOf;
  virtual Eigen::VectorXd exact_weights(const TaskLosses& rows, const Eigen::MatrixXd& gramian,
                                        const GramianOf& gramian_of);

  /// The weights of all tasks of a step: the rules for degenerate rows around `weights_of`.
  /// [T, T] -> [T]. Without a step the tasks are "0", "1", ..., of unknown losses. FaultyStep: an
  /// entry of G that is NaN or infinite; the text names its task. Error: G is not [T, T]; the
  /// method gave something else than T finite weights.
  Eigen::VectorXd solve(const TaskLosses& step, const Eigen::MatrixXd& gramian,
                        const GramianOf& gramian_of = {});
  Eigen::VectorXd solve(const Eigen::MatrixXd& gramian);
  /// Whether the last `solve` found no direction that helps every task.
  bool stationary() const { return stationary_; }

  /// FaultyStep: a gradient of the shared parameters that is NaN or infinite.
  void backward(const TaskLosses& losses, const Parameters& parameters) override;
  void set_task_count(int64_t tasks) override;
  NamedTensors state_dict() const override { return saved({}); }
  void load_state_dict(const NamedTensors& state) override { load(state, {}); }

 protected:
  /// What the heads receive; each paper says which. With weights, a task without a shared gradient
  /// and, where no direction helps all, every task counts 1: its head has nothing to share.
  virtual HeadGradient heads() const { return HeadGradient::plain; }
  /// True for methods whose answer a zero row decides (MGDA: the zero direction).
  virtual bool keeps_zero_rows() const { return false; }

  /// For `state_dict` and `load_state_dict` of a method that keeps something: these numbers and
  /// what the base keeps. `others` names further entries, which the method reads itself. Error:
  /// an entry is missing, foreign or of another number of tasks; nothing is changed then.
  NamedTensors saved(std::vector<const TaskNumbers*> numbers) const;
  void load(const NamedTensors& state, std::vector<TaskNumbers*> numbers,
            std::vector<std::string> others = {});

  /// The engine works on a step until its guard goes, also by an exception. FaultyStep: a loss that
  /// is NaN or infinite, on the CPU. Error: what `Engine::begin` says.
  struct StepGuard {
    Engine& engine;
    ~StepGuard() { engine.end(); }
  };
  [[nodiscard]] StepGuard begin(const TaskLosses& losses, const Parameters& parameters);
  Engine& engine() { return engine_; }
  /// The heads' weights [T] for weights of rows with these squared lengths.
  Eigen::VectorXd head_weights(const Eigen::VectorXd& weights,
                               const Eigen::VectorXd& squares) const;

  GradientOptions gradient_options_;
  /// Set by `weights` where no direction helps every task; goes into the report.
  bool stationary_ = false;

 private:
  Engine engine_;
  // Between two solutions; NaN: a task not seen yet, which counts like the others.
  TaskNumbers kept_weights_{"kept_weights", std::numeric_limits<double>::quiet_NaN()};
  TaskNumbers kept_heads_{"kept_head_weights", std::numeric_limits<double>::quiet_NaN()};
  int64_t steps_until_solve_ = 0;
};

/// Tasks "0", "1", ... whose losses are not known: what `weights(gramian)` of a method means that
/// asks for them.
inline TaskLosses unknown_losses(Eigen::Index tasks) {
  return task_losses(std::vector<Tensor>(static_cast<size_t>(tasks)));
}

/// A gradient combiner from a function of G:
///
///     auto combiner = gradient_combiner([](const Eigen::MatrixXd& g) { ... });
template <class F>
auto gradient_combiner(F weights) {
  struct FromFunction : GradientCombiner {
    explicit FromFunction(F f) : function(std::move(f)) {}
    Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override { return function(gramian); }
    F function;
  };
  return FromFunction(std::move(weights));
}

}  // namespace mtl
