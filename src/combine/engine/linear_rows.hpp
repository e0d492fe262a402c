#pragma once

#include <ATen/core/Tensor.h>

#include <Eigen/Core>
#include <optional>
#include <utility>
#include <vector>

#include "gramian_sum.hpp"
#include "workspace.hpp"

namespace mtl::engine {

/// The rows of one linear layer, unmultiplied: row t of the weight [out, in] is delta[t]^T input,
/// of the bias [out] the sum of delta[t] over N. N counts the samples of all uses of the layer.
struct LinearRows {
  size_t weight = 0;           // column
  std::optional<size_t> bias;  // column
  at::Tensor input;            // [N, in]
  at::Tensor delta;            // [T, N, out]
  bool through_products =
      false;  // whether the Gramian comes from input input^T rather than from rows
};

/// Whether a Gramian through input input^T costs less than one through rows, for T tasks.
bool products_pay(int64_t tasks, int64_t samples, int64_t inputs, int64_t outputs);

/// Adds this layer's part of G, of its weight, its bias or both.
void add_gramian(const LinearRows& layer, bool weight, bool bias, bool in_double, GramianSum& sum,
                 Workspace& workspace);

std::vector<at::Tensor> weight_rows(const LinearRows& layer);  // T tensors [out, in]
std::vector<at::Tensor> bias_rows(const LinearRows& layer);    // T tensors [out]

/// Weights [T] that are copied once for all layers that lie together.
class LayerWeights {
 public:
  explicit LayerWeights(const Eigen::VectorXd& weights) : weights_(weights) {}

  double operator[](int64_t task) const { return weights_[task]; }
  /// All, where `like` lies and of its type. Nobody waits for a device.
  const at::Tensor& beside(const at::Tensor& like);

 private:
  const Eigen::VectorXd& weights_;
  at::Tensor there_;
};

/// sum_t w_t of the rows of the weight and of the bias (undefined without bias).
std::pair<at::Tensor, at::Tensor> weighted_sum(const LinearRows& layer, LayerWeights& weights);

/// Adds <row t, direction> to `result`; either direction may be undefined.
void add_products(const LinearRows& layer, const at::Tensor& weight, const at::Tensor& bias,
                  NumberSums& result);

}  // namespace mtl::engine
