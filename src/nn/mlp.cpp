#include <torch/nn/functional/dropout.h>

#include "mtl/core/error.hpp"
#include "mtl/nn/encoders/mlp_encoder.hpp"
#include "mtl/nn/heads/mlp_head.hpp"

namespace mtl::nn {

Tensor activate(Activation activation, const Tensor& input) {
  switch (activation) {
    case Activation::relu:
      return torch::relu(input);
    case Activation::gelu:
      return torch::gelu(input);
    case Activation::silu:
      return torch::silu(input);
    case Activation::tanh:
      return torch::tanh(input);
    case Activation::leaky_relu:
      return torch::leaky_relu(input);
    case Activation::relu6:
      return torch::clamp(input, 0.0, 6.0);
  }
  throw Error("unknown activation {}", static_cast<int>(activation));
}

MlpImpl::MlpImpl(const MlpOptions& options) : torch::nn::Module("Mlp"), options_(options) {
  if (options.dropout < 0 || options.dropout >= 1)
    throw Error("Mlp: dropout {} is not in [0, 1)", options.dropout);
  std::vector<int64_t> sizes = {options.input_size};
  sizes.insert(sizes.end(), options.hidden_sizes.begin(), options.hidden_sizes.end());
  if (options.output_size != 0) sizes.push_back(options.output_size);
  if (sizes.size() < 2) throw Error("Mlp: no layer; give hidden_sizes");
  for (int64_t size : sizes)
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

Tensor MlpImpl::forward(const Tensor& input) {
  Tensor x = input;
  for (size_t k = 0; k < layers_.size(); ++k) {
    x = layers_[k]->forward(x);
    if (k == options_.hidden_sizes.size()) break;  // the output layer stays linear
    x = activate(options_.activation, x);
    if (options_.dropout > 0) x = torch::dropout(x, options_.dropout, is_training());
  }
  return x;
}

MlpEncoder::MlpEncoder(const MlpOptions& options)
    : ModuleHolder(std::make_shared<MlpImpl>(options)) {}

MlpHead::MlpHead(const MlpOptions& options) : ModuleHolder(std::make_shared<MlpImpl>(options)) {
  if (options.output_size == 0) throw Error("MlpHead: no output_size");
}

}  // namespace mtl::nn
