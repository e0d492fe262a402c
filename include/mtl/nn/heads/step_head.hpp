#pragma once

#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <memory>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl::nn {

/// Answers at each step of a sequence, behind an encoder whose first step is a summary of all
/// others (AttentionEncoder): one linear layer of every other step, [N, 1 + L, in] to logits
/// [N, out, L], as CrossEntropy takes them, or [N, L, out], as Ctc does.
/// Parameters: "linear.weight", "linear.bias".
class StepHeadImpl : public torch::nn::Module {
 public:
  struct Options {
    int64_t input_size = 0;
    int64_t output_size = 0;
    bool steps_first = false;  ///< [N, L, out] instead of [N, out, L]
  };

  /// Error: a size below 1.
  explicit StepHeadImpl(const Options& options) : torch::nn::Module("StepHead"), options_(options) {
    if (options.input_size < 1 || options.output_size < 1)
      throw Error("step head: input_size {}, output_size {}: each must be at least 1",
                  options.input_size, options.output_size);
    linear_ = register_module("linear", torch::nn::Linear(options.input_size, options.output_size));
  }

  /// Error: another shape than [N, 1 + L, input_size], or no step.
  Tensor forward(const Tensor& steps) {
    if (steps.dim() != 3 || steps.size(1) < 2 || steps.size(2) != options_.input_size)
      throw Error("step head: found {}, expected a summary and steps, [N, 1 + L, {}]",
                  shape_text(steps), options_.input_size);
    const Tensor answers = linear_->forward(steps.slice(1, 1));
    return options_.steps_first ? answers : answers.transpose(1, 2);
  }

  const Options& options() const { return options_; }

 private:
  Options options_;
  torch::nn::Linear linear_ = nullptr;
};

struct StepHead : torch::nn::ModuleHolder<StepHeadImpl> {
  using torch::nn::ModuleHolder<StepHeadImpl>::ModuleHolder;
  using Options = StepHeadImpl::Options;
  StepHead(const Options& options) : ModuleHolder(std::make_shared<StepHeadImpl>(options)) {}
};

}  // namespace mtl::nn
