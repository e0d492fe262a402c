#include <torch/nn/init.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

#include <string>

#include "mtl/core/error.hpp"
#include "mtl/nn/encoders/cnn_encoder.hpp"

namespace mtl::nn {
namespace {

constexpr int64_t channels_a_group = 8;

void check(const CnnOptions& options) {
  if (options.channels.empty()) throw Error("CnnEncoder: no stage; give channels");
  if (options.kernel_size % 2 == 0)
    throw Error("CnnEncoder: kernel_size {} is even; padding needs an odd one",
                options.kernel_size);
  if (!(options.dropout >= 0 && options.dropout < 1))
    throw Error("CnnEncoder: dropout {} is not in [0, 1)", options.dropout);
  std::vector<int64_t> sizes = options.channels;
  sizes.insert(sizes.end(),
               {options.input_channels, options.blocks, options.kernel_size, options.stride});
  for (const int64_t size : sizes) {
    if (size < 1)
      throw Error(
          "CnnEncoder: found a size of {}; channels, blocks, kernel_size and stride are at least 1",
          size);
  }
  for (const int64_t width : options.channels) {
    if (options.norm == ConvolutionNorm::group && width % channels_a_group != 0) {
      throw Error("CnnEncoder: group norm needs channels in multiples of {}, found {}",
                  channels_a_group, width);
    }
  }
}

}  // namespace

CnnImpl::CnnImpl(const CnnOptions& options) : torch::nn::Module("Cnn"), options_(options) {
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

CnnImpl::Block CnnImpl::add_block(torch::nn::Module& stage, int64_t index, int64_t in, int64_t out,
                                  int64_t stride) {
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
  if (options_.norm == ConvolutionNorm::batch) {
    result.norm = block->register_module("norm", torch::nn::BatchNorm2d(out));
  } else if (options_.norm == ConvolutionNorm::group) {
    result.norm = block->register_module("norm", torch::nn::GroupNorm(out / channels_a_group, out));
  }
  return result;
}

Tensor CnnImpl::forward(const Tensor& pictures) {
  if (pictures.dim() != 4 || pictures.size(1) != options_.input_channels) {
    throw Error("CnnEncoder: pictures must be [N, {}, height, width], got {}",
                options_.input_channels, shape_text(pictures));
  }
  Tensor x = pictures;
  for (const Block& block : blocks_) {
    x = block.convolution.forward(x);
    if (block.norm) x = block.norm.forward(x);
    x = activate(options_.activation, x);
  }
  x = x.mean({2, 3});
  return options_.dropout > 0 ? torch::dropout(x, options_.dropout, is_training()) : x;
}

CnnEncoder::CnnEncoder(const CnnOptions& options)
    : ModuleHolder(std::make_shared<CnnImpl>(options)) {}

}  // namespace mtl::nn
