#pragma once

#include <torch/types.h>

#include <Eigen/Core>
#include <memory>
#include <vector>

#include "mtl/combine/engine/rows.hpp"
#include "mtl/combine/parameters.hpp"
#include "mtl/combine/task_losses.hpp"

namespace mtl {

/// Where the task gradients are compared: at the shared parameters (exact), or at the shared
/// representation (cheaper: one backward pass through the encoder, whatever the number of tasks).
enum class GradientSite { shared_parameters, representation };

/// What task-specific parameters receive: the gradient of sum_t l_t, or of sum_t w_t l_t.
enum class HeadGradient { plain, weighted };

/// How the Gramian is computed. All ways give the same numbers up to rounding.
enum class EnginePath {
  automatic,  // by parameter, whichever costs less
  rows,       // one gradient a task and parameter
  products,   // from activations and their gradients wherever the layer allows it
};

struct EngineOptions {
  EnginePath path = EnginePath::automatic;  // forced only to test or to measure
};

/// Gradients of several losses through one graph: computes what is asked for, when it is asked for,
/// and no more.
///
///     engine.begin(losses, {.shared = encoder->parameters(), .by_task = heads});
///     Eigen::VectorXd w = solve(engine.gramian());
///     engine.write_gradients(w, HeadGradient::plain);  // .grad is what backward() would leave
///
/// J has a row for each loss and a column for each element of `columns()`.
/// Exact for any graph that autograd can differentiate once: G is computed from activations and
/// their gradients where a layer's rows need not exist (Linear), from rows everywhere else;
/// wherever a hook, a cast or an unknown operation could make a difference, from rows. Losses keep
/// their graph; it is freed when they are.
///
/// Gradients reach `.grad` as with backward(): added to what is there, untouched where no loss
/// reaches a parameter or it does not require a gradient; nothing is added where anything throws.
/// Error: weights of another size than T, a shared parameter that the losses reach around the
/// representation.
class Engine {
 public:
  explicit Engine(EngineOptions options = {});
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  /// Takes a new step and drops what is left of the last one. Computes nothing. While the caller
  /// hands over the same tensors again, the lists are compared and neither copied nor hashed.
  /// Error: a loss that is not one number, losses of which none has a graph, an undefined
  /// parameter, lists for another number of tasks, no representation where it is asked for.
  void begin(const TaskLosses& losses, const Parameters& parameters,
             GradientSite at = GradientSite::shared_parameters);

  /// Drops the step and its graph, if there is one.
  void end();

  int64_t tasks() const;  // T of this step

  /// The tensors that J's columns belong to: the shared parameters, or the representation alone.
  const std::vector<torch::Tensor>& columns() const;

  /// G [T, T] = J J^T, in double precision.
  const Eigen::MatrixXd& gramian();

  /// The Gramian [K, K] of the K combinations of rows that `combinations` [K, T] says.
  Eigen::MatrixXd gramian_of(const Eigen::MatrixXd& combinations);

  /// One Gramian for each group of columns (a layer, a parameter); columns in no group are left
  /// out.
  std::vector<Eigen::MatrixXd> gramians(const Groups& groups);

  /// |g_t| [T].
  Eigen::VectorXd norms();

  /// J itself. Ask for it before anything else if it will be needed: rows made after a Gramian cost
  /// extra.
  const Rows& rows();

  /// J^T w by column tensor; undefined where no loss reaches it.
  std::vector<torch::Tensor> weighted_sum(const Eigen::VectorXd& weights);

  /// J^T w with weights of its own for each group, `weights` [T, number of groups].
  std::vector<torch::Tensor> weighted_sum(const Groups& groups, const Eigen::MatrixXd& weights);

  /// J d [T] for a direction by column tensor (undefined parts are zero): how each loss changes
  /// along d.
  Eigen::VectorXd products(const std::vector<torch::Tensor>& direction);

  /// Adds J^T w to the gradients of the shared parameters, and what `heads` says to those of the
  /// tasks. Asked for nothing before, it takes one backward pass of sum_t w_t l_t. Ends the step:
  /// what was computed is dropped. FaultyStep: asked for nothing before, a gradient that is NaN or
  /// infinite.
  void write_gradients(const Eigen::VectorXd& weights, HeadGradient heads);
  /// The same with weights of its own [T] for the tasks' parameters.
  void write_gradients(const Eigen::VectorXd& weights, const Eigen::VectorXd& head_weights);

  /// The same with `direction` (by column tensor) in place of J^T w; task parameters receive sum_t
  /// head_weights_t l_t.
  /// Tensors that nobody else holds become the gradients without a copy.
  void write_direction(std::vector<torch::Tensor> direction, const Eigen::VectorXd& head_weights);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mtl
