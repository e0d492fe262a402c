#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/sharing/model_ref.hpp"

namespace mtl {

/// AdaMerging: task arithmetic whose coefficients are learned, one a task or one a task and layer,
/// on inputs without labels: the merged model is to be sure of what it says.
///     theta_l = theta_0,l + sum_t lambda_t,l v_t,l
///     lambda  = argmin  objective(predictions),   the sum over tasks of their mean entropy
/// by Adam from `coefficient`. Yang et al., ICLR 2024 (arXiv 2310.02575). As theta is linear in
/// lambda, d/dlambda_t,l = <d/dtheta_l, v_t,l>: one backward pass a step, whatever the model.
///
///     auto merged = mtl::AdaMerging{}(*model, start, {a, b}, next_inputs, [](const auto& p) {
///       return softmax_entropy(p["breed"]).mean() + sigmoid_entropy(p["ear"]).mean();
///     });
///
/// The model holds the merged weights afterwards, and its heads are used as they are. A layer is a
/// module, whose weight and bias have one coefficient. Integers come from the start and running
/// statistics are averaged, as in every merging; the model runs in evaluation mode.
struct AdaMerging {
  enum class By { task, layer };
  using NextInputs = std::function<NamedTensors()>;  // of a batch; the paper's have 16 samples
  using Objective = std::function<Tensor(const NamedTensors& predictions)>;  // scalar

  By by = By::layer;            // the better one in the paper
  double coefficient = 0.3;     // at the start; the paper's
  double learning_rate = 1e-3;  // of Adam; the paper's
  int64_t steps = 1000;         // at most that many help, in the paper; 0: task arithmetic

  struct Result {
    NamedTensors weights = NamedTensors();  ///< the merged ones
    std::vector<std::string> layers = {};   ///< "encoder.layers.0"; one "" where By::task
    Tensor coefficients = Tensor();         ///< lambda [models, layers], double
    std::vector<double> objective = {};     ///< by step, before it
  };

  /// `model` has all tensors of `start` by their names, and heads that answer. Afterwards mode and
  /// frozen parameters are as before; after an error the weights, too.
  /// Error: no model, other names or shapes (merging_detail::check_models); the model lacks one of
  /// them or has another shape; options out of range; an objective that is not one finite number
  /// with a graph.
  Result operator()(ModelRef model, const NamedTensors& start,
                    const std::vector<NamedTensors>& tuned, const NextInputs& next_inputs,
                    const Objective& objective) const;
};

/// Entropy in nats of softmax over dimension 1: scores [N, C, ...] -> [N, ...].
Tensor softmax_entropy(const Tensor& scores);
/// Entropy in nats of yes-or-no scores, output by output: [...] -> [...].
Tensor sigmoid_entropy(const Tensor& scores);

}  // namespace mtl
