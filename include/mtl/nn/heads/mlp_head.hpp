#pragma once

#include "mtl/nn/encoders/mlp_encoder.hpp"

namespace mtl::nn {

/// Hidden layers and a linear output:
///
///     MlpHead({.input_size = 256, .hidden_sizes = {64}, .output_size = 9})
struct MlpHead : torch::nn::ModuleHolder<MlpImpl> {
  using torch::nn::ModuleHolder<MlpImpl>::ModuleHolder;
  using Options = MlpImpl::Options;
  /// Error: as MlpEncoder, and no output_size.
  MlpHead(const Options& options) : ModuleHolder(options) {
    if (options.output_size == 0) throw Error("MlpHead: no output_size; give the task's outputs");
  }
};

}  // namespace mtl::nn
