#pragma once

#include <torch/nn/modules/linear.h>

#include <vector>

#include "mtl/nn/activation.hpp"
#include "mtl/nn/layer.hpp"

namespace mtl::nn {

struct MlpOptions {
  int64_t input_size = 0;
  std::vector<int64_t> hidden_sizes = {};  // one linear layer each, the activation after each
  Activation activation = Activation::relu;
  double dropout = 0.0;     // after each activation
  int64_t output_size = 0;  // a last linear layer without activation; 0: none
};

/// Linear layers with an activation after each: [N, input_size] -> [N, last hidden size].
/// Parameters: "layers.<k>.weight", "layers.<k>.bias".
class MlpImpl : public torch::nn::Module {
 public:
  /// Error: a size below 1, no layer, dropout outside [0, 1).
  explicit MlpImpl(const MlpOptions& options);
  Tensor forward(const Tensor& input);

 private:
  MlpOptions options_;
  std::vector<torch::nn::Linear> layers_;
};

struct MlpEncoder : torch::nn::ModuleHolder<MlpImpl> {
  using torch::nn::ModuleHolder<MlpImpl>::ModuleHolder;
  MlpEncoder(const MlpOptions& options);
};

}  // namespace mtl::nn
