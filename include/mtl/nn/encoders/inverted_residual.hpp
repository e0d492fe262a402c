#pragma once

#include <torch/nn/init.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "mtl/core/tensor.hpp"

namespace mtl::nn_detail {

/// A convolution without offset; He's initialization by the fan-out of one group: a depthwise
/// channel feeds k*k positions, not k*k*channels.
inline torch::nn::Conv2d convolution(int64_t in, int64_t out, int64_t kernel, int64_t stride,
                                     int64_t groups) {
  torch::nn::Conv2d result(
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).groups(groups).bias(false));
  const double fan_out = static_cast<double>(kernel * kernel * out) / static_cast<double>(groups);
  torch::nn::init::normal_(result->weight, 0.0, std::sqrt(2.0 / fan_out));
  return result;
}

inline torch::nn::BatchNorm2d batch_norm(int64_t channels) {
  return torch::nn::BatchNorm2d(torch::nn::BatchNorm2dOptions(channels).eps(1e-3).momentum(0.01));
}

/// TensorFlow's SAME: ceil(size / stride) outputs; an odd pixel of padding goes right and below.
inline Tensor convolve(const torch::nn::Conv2d& layer, const Tensor& input) {
  const int64_t kernel = layer->weight.size(2);
  const int64_t stride = layer->options.stride()->at(0);
  const auto padding = [&](int64_t size) {
    return std::max<int64_t>(((size + stride - 1) / stride - 1) * stride + kernel - size, 0);
  };
  const int64_t rows = padding(input.size(2)), columns = padding(input.size(3));
  const bool even = rows % 2 == 0 && columns % 2 == 0;
  const std::array<int64_t, 4> sides = {columns / 2, columns - columns / 2, rows / 2,
                                        rows - rows / 2};
  const std::array<int64_t, 2> both = {even ? rows / 2 : 0, even ? columns / 2 : 0};
  return torch::conv2d(even ? input : torch::constant_pad_nd(input, sides), layer->weight, {},
                       stride, both, 1, layer->options.groups());
}

/// ReLU6, in place: nobody needs the values before it.
inline Tensor up_to_six(Tensor input) { return torch::hardtanh_(input, 0, 6); }

}  // namespace mtl::nn_detail

namespace mtl::nn {

/// One inverted-residual block: 1x1 expansion, depthwise convolution, 1x1 projection, each with
/// BatchNorm, ReLU6 after the first two; the input is added where shapes allow.
/// Sandler et al., CVPR 2018 (arXiv 1801.04381).
class InvertedResidualImpl : public torch::nn::Module {
 public:
  struct Options {
    int64_t in = 0, out = 0, expansion = 6, kernel = 3, stride = 1;
    double drop_connect = 0;  ///< probability that a sample skips the block while training
  };

  explicit InvertedResidualImpl(const Options& options) : options_(options) {
    using namespace nn_detail;
    const int64_t wide = options_.in * options_.expansion;
    if (options_.expansion != 1) {
      expand_ = register_module("_expand_conv", convolution(options_.in, wide, 1, 1, 1));
      norm0_ = register_module("_bn0", batch_norm(wide));
    }
    depthwise_ = register_module("_depthwise_conv",
                                 convolution(wide, wide, options_.kernel, options_.stride, wide));
    norm1_ = register_module("_bn1", batch_norm(wide));
    project_ = register_module("_project_conv", convolution(wide, options_.out, 1, 1, 1));
    norm2_ = register_module("_bn2", batch_norm(options_.out));
  }

  Tensor forward(const Tensor& input) {
    using namespace nn_detail;
    Tensor x = input;
    if (expand_) x = up_to_six(norm0_(convolve(expand_, x)));
    x = up_to_six(norm1_(convolve(depthwise_, x)));
    x = norm2_(convolve(project_, x));
    if (options_.stride != 1 || options_.in != options_.out) return x;
    if (is_training() && options_.drop_connect > 0) {
      const double keep = 1 - options_.drop_connect;
      x = x * torch::empty({x.size(0), 1, 1, 1}, x.options()).bernoulli_(keep).div_(keep);
    }
    return x + input;
  }

 private:
  Options options_;
  torch::nn::Conv2d expand_{nullptr}, depthwise_{nullptr}, project_{nullptr};
  torch::nn::BatchNorm2d norm0_{nullptr}, norm1_{nullptr}, norm2_{nullptr};
};
TORCH_MODULE(InvertedResidual);

}  // namespace mtl::nn
