#pragma once

#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <memory>

#include "mtl/core/tensor.hpp"
#include "mtl/nn/linear_of_steps.hpp"

namespace mtl::nn {

/// Answers once a sequence, behind an encoder whose first step is a summary of all others
/// (AttentionEncoder): one linear layer of that step, [N, 1 + L, in] -> [N, out].
/// Parameters: "linear.weight", "linear.bias".
class SummaryHeadImpl : public torch::nn::Module {
 public:
  struct Options {
    int64_t input_size = 0;
    int64_t output_size = 0;
  };

  /// Error: a size below 1.
  explicit SummaryHeadImpl(const Options& options)
      : torch::nn::Module("SummaryHead"),
        options_(options),
        linear_(register_module(
            "linear",
            nn_detail::linear_of_steps("summary head", options.input_size, options.output_size))) {}

  /// Error: another shape than [N, 1 + L, input_size].
  Tensor forward(const Tensor& steps) {
    nn_detail::check_steps("summary head", steps, options_.input_size, 1);
    return linear_->forward(steps.select(1, 0));
  }

  const Options& options() const { return options_; }

 private:
  Options options_;
  torch::nn::Linear linear_;
};

struct SummaryHead : torch::nn::ModuleHolder<SummaryHeadImpl> {
  using torch::nn::ModuleHolder<SummaryHeadImpl>::ModuleHolder;
  using Options = SummaryHeadImpl::Options;
  SummaryHead(const Options& options) : ModuleHolder(options) {}
};

}  // namespace mtl::nn
