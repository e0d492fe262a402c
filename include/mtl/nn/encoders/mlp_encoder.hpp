#pragma once

#include <torch/nn/modules/linear.h>

#include <memory>
#include <string>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/nn/activation.hpp"

namespace mtl::nn {

/// Linear layers with an activation after each: [N, input_size] -> [N, last hidden size].
/// Parameters: "layers.<k>.weight", "layers.<k>.bias".
class MlpImpl : public torch::nn::Module {
 public:
  struct Options {
    int64_t input_size = 0;
    std::vector<int64_t> hidden_sizes = {};  ///< one linear layer each, the activation after each
    Activation activation = Activation::relu;
    double dropout = 0.0;     ///< after each activation
    int64_t output_size = 0;  ///< a last linear layer without activation; 0: none
  };

  /// Error: a size below 1, no layer, dropout outside [0, 1).
  explicit MlpImpl(const Options& options) : torch::nn::Module("Mlp"), options_(options) {
    if (!(options.dropout >= 0 && options.dropout < 1))
      throw Error("Mlp: dropout {} is not in [0, 1)", options.dropout);
    std::vector<int64_t> sizes = {options.input_size};
    sizes.insert(sizes.end(), options.hidden_sizes.begin(), options.hidden_sizes.end());
    if (options.output_size != 0) sizes.push_back(options.output_size);
    if (sizes.size() < 2) throw Error("Mlp: no layer; give hidden_sizes");
    for (const int64_t size : sizes)
      if (size < 1)
        throw Error("Mlp: found a layer size of {}; sizes are at least 1 (was input_size given?)",
                    size);
    auto layers = std::make_shared<torch::nn::Module>("layers");
    for (size_t k = 0; k + 1 < sizes.size(); ++k) {
      layers_.emplace_back(sizes[k], sizes[k + 1]);
      layers->register_module(std::to_string(k), layers_.back().ptr());
    }
    register_module("layers", layers);
  }

  /// Error: an input of another width.
  Tensor forward(const Tensor& input) {
    if (input.dim() < 1 || input.size(-1) != options_.input_size)
      throw Error("Mlp: found input {}, expected [N, {}]", shape_text(input), options_.input_size);
    Tensor x = input;
    for (size_t k = 0; k < layers_.size(); ++k) {
      x = layers_[k]->forward(x);
      if (k == options_.hidden_sizes.size()) break;  // the output layer stays linear
      x = activate(options_.activation, x);
      if (options_.dropout > 0) x = torch::dropout(x, options_.dropout, is_training());
    }
    return x;
  }

  const Options& options() const { return options_; }

 private:
  Options options_;
  std::vector<torch::nn::Linear> layers_;
};

struct MlpEncoder : torch::nn::ModuleHolder<MlpImpl> {
  using torch::nn::ModuleHolder<MlpImpl>::ModuleHolder;
  using Options = MlpImpl::Options;
  MlpEncoder(const Options& options) : ModuleHolder(options) {}
};

}  // namespace mtl::nn
