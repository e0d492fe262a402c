#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <vector>

#include "mtl/nn/activation.hpp"
#include "mtl/nn/layer.hpp"

namespace mtl::nn {

enum class ConvolutionNorm { none, batch, group };

struct CnnOptions {
  int64_t input_channels = 3;
  std::vector<int64_t> channels = {32, 64, 128, 256};  ///< one stage each
  int64_t blocks = 1;       ///< convolution-norm-activation blocks a stage
  int64_t kernel_size = 3;  ///< odd; the padding keeps the size
  int64_t stride = 2;       ///< of each stage's first block
  /// `group` (eight channels a group) does not depend on the batch, which suits very small batches.
  ConvolutionNorm norm = ConvolutionNorm::batch;
  Activation activation = Activation::relu;
  double dropout = 0.0;  ///< of the pooled output
};

/// A plain convolutional network: stages of convolution-norm-activation blocks, then the mean over
/// all positions: [N, input_channels, H, W] -> [N, channels.back()]. Any picture size. Parameters:
/// "stages.<s>.<b>.convolution.*", "stages.<s>.<b>.norm.*".
class CnnImpl : public torch::nn::Module {
 public:
  /// Error: no stage, a size below 1, an even kernel, dropout outside [0, 1), groups that do not
  /// fit.
  explicit CnnImpl(const CnnOptions& options);
  Tensor forward(const Tensor& pictures);

 private:
  struct Block {
    Layer convolution, norm;
  };
  Block add_block(torch::nn::Module& stage, int64_t index, int64_t in, int64_t out, int64_t stride);

  CnnOptions options_;
  std::vector<Block> blocks_;
};

struct CnnEncoder : torch::nn::ModuleHolder<CnnImpl> {
  using torch::nn::ModuleHolder<CnnImpl>::ModuleHolder;
  CnnEncoder(const CnnOptions& options);
};

}  // namespace mtl::nn
