#pragma once

#include <torch/types.h>

#include <Eigen/Core>
#include <memory>
#include <vector>

#include "mtl/combine/engine/rows.hpp"

namespace mtl {

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

/// What one step offers the engine. J has a row for each loss and a column for each element of
/// `columns()`.
struct EngineStep {
  std::vector<torch::Tensor> losses;  // T scalars with graph, of the tasks present in this batch
  std::vector<torch::Tensor> shared;  // parameters that receive J^T w
  torch::Tensor representation;  // defined: J is the gradient at this tensor instead of at `shared`
  std::vector<std::vector<torch::Tensor>>
      task_parameters;  // by loss; what only that task trains; empty: none
};

/// Gradients of several losses through one graph: computes what is asked for, when it is asked for,
/// and no more.
///
///     engine.begin({losses, model.shared_parameters(), {}, heads});
///     Eigen::VectorXd w = solve(engine.gramian());
///     engine.write_gradients(w, HeadGradient::plain);      // .grad holds what backward() would
///     have left
///
/// Exact for any graph that autograd can differentiate once: G is computed from activations and
/// their gradients where a layer's rows need not exist (Linear), from rows everywhere else;
/// wherever a hook, a cast or an unknown operation could make a difference, from rows. Losses keep
/// their graph; it is freed when they are.
///
/// Gradients reach `.grad` as with backward(): added to what is there, untouched where no loss
/// reaches a parameter or it does not require a gradient. Throws `Error` for a loss that is not one
/// number or shares no device with the others, for weights of another size than T, and for a shared
/// parameter that the losses reach around the representation.
class Engine {
 public:
  explicit Engine(EngineOptions options = {});
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  /// Takes a new step and drops what is left of the last one. Computes nothing.
  void begin(EngineStep step);

  int64_t tasks() const;  // T of this step

  /// The tensors that J's columns belong to: the shared parameters, or the representation alone.
  const std::vector<torch::Tensor>& columns() const;

  /// G [T, T] = J J^T, in double precision.
  const Eigen::MatrixXd& gramian();

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
  /// what was computed is dropped.
  void write_gradients(const Eigen::VectorXd& weights, HeadGradient heads);

  /// The same with `direction` (by column tensor) in place of J^T w; task parameters receive sum_t
  /// head_weights_t l_t.
  /// Tensors that nobody else holds become the gradients without a copy.
  void write_direction(std::vector<torch::Tensor> direction, const Eigen::VectorXd& head_weights);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mtl
