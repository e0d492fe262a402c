#pragma once

#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <memory>

#include "mtl/core/tensor.hpp"
#include "mtl/nn/linear_of_steps.hpp"

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
  explicit StepHeadImpl(const Options& options)
      : torch::nn::Module("StepHead"),
        options_(options),
        linear_(register_module(
            "linear",
            nn_detail::linear_of_steps("step head", options.input_size, options.output_size))) {}

  /// Error: another shape than [N, 1 + L, input_size], or no step.
  Tensor forward(const Tensor& steps) {
    nn_detail::check_steps("step head", steps, options_.input_size, 2);
    const Tensor answers = linear_->forward(steps.slice(1, 1));
    return options_.steps_first ? answers : answers.transpose(1, 2);
  }

  const Options& options() const { return options_; }

 private:
  Options options_;
  torch::nn::Linear linear_;
};

struct StepHead : torch::nn::ModuleHolder<StepHeadImpl> {
  using torch::nn::ModuleHolder<StepHeadImpl>::ModuleHolder;
  using Options = StepHeadImpl::Options;
  StepHead(const Options& options) : ModuleHolder(options) {}
};

}  // namespace mtl::nn
