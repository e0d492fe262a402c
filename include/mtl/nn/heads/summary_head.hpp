#pragma once

#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <memory>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

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
      : torch::nn::Module("SummaryHead"), options_(options) {
    if (options.input_size < 1 || options.output_size < 1)
      throw Error("summary head: input_size {}, output_size {}: each must be at least 1",
                  options.input_size, options.output_size);
    linear_ = register_module("linear", torch::nn::Linear(options.input_size, options.output_size));
  }

  /// Error: another shape than [N, 1 + L, input_size].
  Tensor forward(const Tensor& steps) {
    if (steps.dim() != 3 || steps.size(1) < 1 || steps.size(2) != options_.input_size)
      throw Error("summary head: found {}, expected a summary and steps, [N, 1 + L, {}]",
                  shape_text(steps), options_.input_size);
    return linear_->forward(steps.select(1, 0));
  }

  const Options& options() const { return options_; }

 private:
  Options options_;
  torch::nn::Linear linear_ = nullptr;
};

struct SummaryHead : torch::nn::ModuleHolder<SummaryHeadImpl> {
  using torch::nn::ModuleHolder<SummaryHeadImpl>::ModuleHolder;
  using Options = SummaryHeadImpl::Options;
  SummaryHead(const Options& options) : ModuleHolder(std::make_shared<SummaryHeadImpl>(options)) {}
};

}  // namespace mtl::nn
