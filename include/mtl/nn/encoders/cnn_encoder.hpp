#pragma once

#include <torch/nn/init.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

#include <memory>
#include <string>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/nn/activation.hpp"
#include "mtl/nn/layer.hpp"

namespace mtl::nn {

enum class ConvolutionNorm { none, batch, group };

/// A plain convolutional network: stages of convolution-norm-activation blocks, then the mean over
/// all positions: [N, input_channels, H, W] -> [N, channels.back()]. Any picture size. Parameters:
/// "stages.<s>.<b>.convolution.*", "stages.<s>.<b>.norm.*".
class CnnImpl : public torch::nn::Module {
 public:
  static constexpr int64_t channels_a_group = 8;

  struct Options {
    int64_t input_channels = 3;
    std::vector<int64_t> channels = {32, 64, 128, 256};  ///< one stage each
    int64_t blocks = 1;       ///< convolution-norm-activation blocks a stage
    int64_t kernel_size = 3;  ///< odd; the padding keeps the size
    int64_t stride = 2;       ///< of each stage's first block
    /// `group` (eight channels a group) does not depend on the batch, which suits very small ones.
    ConvolutionNorm norm = ConvolutionNorm::batch;
    Activation activation = Activation::relu;
    double dropout = 0.0;  ///< of the pooled output
  };

  /// Error: no stage, a size below 1, an even kernel, dropout outside [0, 1), groups that do not
  /// fit.
  explicit CnnImpl(const Options& options) : torch::nn::Module("Cnn"), options_(options) {
    check(options);
    auto stages = std::make_shared<torch::nn::Module>("stages");
    int64_t width = options.input_channels;
    for (size_t s = 0; s < options.channels.size(); ++s) {
      auto stage =
          stages->register_module(std::to_string(s), std::make_shared<torch::nn::Module>("stage"));
      for (int64_t b = 0; b < options.blocks; ++b) {
        blocks_.push_back(
            add_block(*stage, b, width, options.channels[s], b == 0 ? options.stride : 1));
        width = options.channels[s];
      }
    }
    register_module("stages", stages);
  }

  /// Error: pictures of another shape than [N, input_channels, H, W].
  Tensor forward(const Tensor& pictures) {
    if (pictures.dim() != 4 || pictures.size(1) != options_.input_channels)
      throw Error("CnnEncoder: pictures must be [N, {}, height, width], found {}",
                  options_.input_channels, shape_text(pictures));
    Tensor x = pictures;
    for (const Block& block : blocks_) {
      x = block.convolution.forward(x);
      if (block.norm) x = block.norm.forward(x);
      x = activate(options_.activation, x);
    }
    x = x.mean({2, 3});
    return options_.dropout > 0 ? torch::dropout(x, options_.dropout, is_training()) : x;
  }

  const Options& options() const { return options_; }

 private:
  struct Block {
    Layer convolution, norm;
  };

  static void check(const Options& options) {
    if (options.channels.empty()) throw Error("CnnEncoder: no stage; give channels");
    if (options.kernel_size % 2 == 0)
      throw Error("CnnEncoder: kernel_size {} is even; padding needs an odd one",
                  options.kernel_size);
    if (!(options.dropout >= 0 && options.dropout < 1))
      throw Error("CnnEncoder: dropout {} is not in [0, 1)", options.dropout);
    std::vector<int64_t> sizes = options.channels;
    sizes.insert(sizes.end(),
                 {options.input_channels, options.blocks, options.kernel_size, options.stride});
    for (const int64_t size : sizes)
      if (size < 1)
        throw Error(
            "CnnEncoder: found a size of {}; "
            "channels, blocks, kernel_size and stride are at least 1",
            size);
    for (const int64_t width : options.channels)
      if (options.norm == ConvolutionNorm::group && width % channels_a_group != 0)
        throw Error("CnnEncoder: group norm needs channels in multiples of {}, found {}",
                    channels_a_group, width);
  }

  Block add_block(torch::nn::Module& stage, int64_t index, int64_t in, int64_t out,
                  int64_t stride) const {
    auto block =
        stage.register_module(std::to_string(index), std::make_shared<torch::nn::Module>("block"));
    const int64_t size = options_.kernel_size;
    // A norm has its own offset, which makes the convolution's one void.
    torch::nn::Conv2d convolution(torch::nn::Conv2dOptions(in, out, size)
                                      .stride(stride)
                                      .padding(size / 2)
                                      .bias(options_.norm == ConvolutionNorm::none));
    torch::nn::init::kaiming_normal_(convolution->weight, 0.0, torch::kFanOut, torch::kReLU);
    block->register_module("convolution", convolution);
    Block result{.convolution = convolution, .norm = {}};
    if (options_.norm == ConvolutionNorm::batch)
      result.norm = block->register_module("norm", torch::nn::BatchNorm2d(out));
    else if (options_.norm == ConvolutionNorm::group)
      result.norm =
          block->register_module("norm", torch::nn::GroupNorm(out / channels_a_group, out));
    return result;
  }

  Options options_;
  std::vector<Block> blocks_;
};

struct CnnEncoder : torch::nn::ModuleHolder<CnnImpl> {
  using torch::nn::ModuleHolder<CnnImpl>::ModuleHolder;
  using Options = CnnImpl::Options;
  CnnEncoder(const Options& options) : ModuleHolder(options) {}
};

}  // namespace mtl::nn
