#pragma once

#include <ATen/ATen.h>
#include <torch/nn/init.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// How much of each expert to take, by sample: softmax(W x), x flattened to [N, input_size]. As in
/// the papers without bias. Parameter: "weight" [experts, input_size].
class SoftmaxGateImpl : public torch::nn::Module {
 public:
  struct Options {
    int64_t input_size = 0;
    int64_t experts = 0;
  };

  /// Error: a size below 1.
  explicit SoftmaxGateImpl(Options options) : options_(options) {
    if (options_.input_size < 1 || options_.experts < 1)
      throw Error(
          "a gate was to read {} values and weigh {} experts, both are at least 1; give "
          "gate_input_size, the number of values a sample of what the gate sees, and experts",
          options_.input_size, options_.experts);
    weight_ = register_parameter("weight", at::empty({options_.experts, options_.input_size}));
    torch::nn::init::kaiming_uniform_(weight_, std::sqrt(5.0));  // as torch::nn::Linear
  }

  /// [N, ...] -> [N, experts]. Error: another number of values a sample.
  Tensor forward(const Tensor& x) {
    if (x.dim() < 2 || x.numel() != x.size(0) * options_.input_size)
      throw Error("expected {} values a sample; give the true number as gate_input_size",
                  options_.input_size);
    return at::linear(x.flatten(1), weight_).softmax(1);
  }

  const Options& options() const { return options_; }

 private:
  Options options_;
  Tensor weight_;
};

struct SoftmaxGate : torch::nn::ModuleHolder<SoftmaxGateImpl> {
  using torch::nn::ModuleHolder<SoftmaxGateImpl>::ModuleHolder;
  using Options = SoftmaxGateImpl::Options;
  SoftmaxGate(Options options) : ModuleHolder(options) {}
};

/// Experts' outputs, each [N, ...], one beside the other: [N, experts, size of an output]. Error:
/// they are [N].
inline Tensor beside_each_other(const std::vector<Tensor>& outputs) {
  if (outputs[0].dim() < 2)
    throw Error("the experts give {}, expected [N, ...] of two or more dimensions",
                shape_text(outputs[0]));
  return at::stack(outputs, 1).flatten(2);
}

/// sum_e weights[:, e] outputs[:, e] in the shape of one output, `like`. `weights` [N, experts], or
/// [experts] for the same in every sample; `outputs` as beside_each_other gives them.
inline Tensor mixed(const Tensor& weights, const Tensor& outputs, const Tensor& like) {
  if (weights.dim() == 1) return at::tensordot(weights, outputs, {0}, {1}).view(like.sizes());
  return at::bmm(weights.unsqueeze(1), outputs).view(like.sizes());
}

}  // namespace mtl
