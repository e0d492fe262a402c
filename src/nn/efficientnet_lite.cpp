#include "mtl/nn/encoders/efficientnet_lite.hpp"

#include <torch/nn/init.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "mtl/core/error.hpp"
#include "mtl/io/safetensors.hpp"

namespace mtl::nn {
namespace {

struct Variant {
  double width, depth;
  int64_t resolution;
};
constexpr std::array<Variant, 5> variants = {
    {{1.0, 1.0, 224}, {1.0, 1.1, 240}, {1.1, 1.2, 260}, {1.2, 1.4, 280}, {1.4, 1.8, 300}}};

struct Stage {
  int64_t repeats, kernel, stride, expansion, out;
};
constexpr std::array<Stage, 7> stages = {{{1, 3, 1, 1, 16},
                                          {2, 3, 2, 6, 24},
                                          {2, 5, 2, 6, 40},
                                          {3, 3, 2, 6, 80},
                                          {3, 5, 1, 6, 112},
                                          {4, 5, 2, 6, 192},
                                          {1, 3, 1, 6, 320}}};
constexpr int64_t stem_width = 32;

// Channels in multiples of eight, and never more than a tenth less than asked.
int64_t scaled_width(int64_t channels, double factor) {
  const double wanted = static_cast<double>(channels) * factor;
  const auto rounded = std::max<int64_t>(8, static_cast<int64_t>(wanted + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * wanted ? rounded + 8 : rounded;
}

torch::nn::Conv2d convolution(int64_t in, int64_t out, int64_t kernel, int64_t stride,
                              int64_t groups) {
  torch::nn::Conv2d conv(
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).groups(groups).bias(false));
  // Fan-out of one group: a depthwise channel feeds k*k positions, not k*k*channels.
  const double fan_out = static_cast<double>(kernel * kernel * out) / static_cast<double>(groups);
  torch::nn::init::normal_(conv->weight, 0.0, std::sqrt(2.0 / fan_out));
  return conv;
}

torch::nn::BatchNorm2d batch_norm(int64_t channels) {
  return torch::nn::BatchNorm2d(torch::nn::BatchNorm2dOptions(channels).eps(1e-3).momentum(0.01));
}

// TensorFlow's SAME: ceil(size/stride) outputs; an odd pixel of padding goes right and below.
Tensor convolve(const torch::nn::Conv2d& conv, const Tensor& input) {
  const int64_t kernel = conv->weight.size(2);
  const int64_t stride = conv->options.stride()->at(0);
  const int64_t groups = conv->options.groups();
  const auto padding = [&](int64_t size) {
    return std::max<int64_t>(((size + stride - 1) / stride - 1) * stride + kernel - size, 0);
  };
  const int64_t rows = padding(input.size(2)), columns = padding(input.size(3));
  const bool even = rows % 2 == 0 && columns % 2 == 0;
  const std::array<int64_t, 4> sides = {columns / 2, columns - columns / 2, rows / 2,
                                        rows - rows / 2};
  const std::array<int64_t, 2> both = {even ? rows / 2 : 0, even ? columns / 2 : 0};
  return torch::conv2d(even ? input : torch::constant_pad_nd(input, sides), conv->weight, {},
                       stride, both, 1, groups);
}

// ReLU6, in place: nobody needs the values before it.
Tensor up_to_six(Tensor input) { return torch::hardtanh_(input, 0, 6); }

}  // namespace

InvertedResidualImpl::InvertedResidualImpl(const Options& options) : options_(options) {
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

Tensor InvertedResidualImpl::forward(const Tensor& input) {
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

EfficientNetLiteImpl::EfficientNetLiteImpl(const EfficientNetLiteOptions& options)
    : torch::nn::Module("EfficientNetLite"), options_(options) {
  if (options_.variant < 0 || options_.variant >= static_cast<int64_t>(variants.size())) {
    throw Error("EfficientNetLite: variant is {}, expected 0..{}.", options_.variant,
                variants.size() - 1);
  }
  if (!(options_.drop_connect >= 0 && options_.drop_connect < 1)) {
    throw Error("EfficientNetLite: drop_connect is {}, expected a probability in [0, 1).",
                options_.drop_connect);
  }
  const Variant& variant = variants.at(static_cast<size_t>(options_.variant));
  std::vector<InvertedResidualImpl::Options> plan;
  int64_t width = stem_width;
  for (size_t s = 0; s < stages.size(); ++s) {
    const Stage& stage = stages[s];
    // The first and the last stage are not repeated more often, so that stem and head stay cheap.
    const bool outer = s == 0 || s + 1 == stages.size();
    const auto repeats =
        outer ? stage.repeats
              : static_cast<int64_t>(std::ceil(static_cast<double>(stage.repeats) * variant.depth));
    const int64_t out = scaled_width(stage.out, variant.width);
    for (int64_t r = 0; r < repeats; ++r) {
      plan.push_back({.in = width,
                      .out = out,
                      .expansion = stage.expansion,
                      .kernel = stage.kernel,
                      .stride = r == 0 ? stage.stride : 1,
                      .drop_connect = 0});
      width = out;
    }
  }
  stem_ = register_module("_conv_stem", convolution(3, stem_width, 3, 2, 1));
  stem_norm_ = register_module("_bn0", batch_norm(stem_width));
  blocks_ = register_module("_blocks", torch::nn::ModuleList());
  for (size_t b = 0; b < plan.size(); ++b) {
    plan[b].drop_connect =
        options_.drop_connect * static_cast<double>(b) / static_cast<double>(plan.size());
    blocks_->push_back(InvertedResidual(plan[b]));
  }
  head_ = register_module("_conv_head", convolution(width, output_size, 1, 1, 1));
  head_norm_ = register_module("_bn1", batch_norm(output_size));
}

Tensor EfficientNetLiteImpl::forward(const Tensor& pictures) {
  if (pictures.dim() != 4 || pictures.size(1) != 3) {
    throw Error("EfficientNetLite: pictures must be [N, 3, height, width], got {}.",
                shape_text(pictures));
  }
  // Depthwise convolutions are several times faster on the CPU with the channels innermost.
  Tensor x = pictures.contiguous(torch::MemoryFormat::ChannelsLast);
  x = up_to_six(stem_norm_(convolve(stem_, x)));
  for (const auto& block : *blocks_) x = block->as<InvertedResidualImpl>()->forward(x);
  return up_to_six(head_norm_(convolve(head_, x))).mean({2, 3});
}

void EfficientNetLiteImpl::load_weights(const std::filesystem::path& file) {
  load_weights(io::read_safetensors(file));
}

void EfficientNetLiteImpl::load_weights(const NamedTensors& weights) {
  NamedTensors own = named_parameters();
  own.update(named_buffers());
  for (const auto& item : weights) {
    if (own.contains(item.key()) || item.key().starts_with("_fc.")) continue;
    throw Error(
        "EfficientNetLite{}: the weights hold \"{}\", which the encoder has not. Are they another "
        "variant's?",
        options_.variant, item.key());
  }
  torch::NoGradGuard no_grad;
  for (auto& item : own) {
    const Tensor* found = weights.find(item.key());
    if (found == nullptr) {
      if (item.key().ends_with("num_batches_tracked"))
        continue;  // older files lack it, and nobody reads it
      throw Error("EfficientNetLite{}: the weights lack \"{}\". Are they another variant's?",
                  options_.variant, item.key());
    }
    if (found->sizes() != item.value().sizes()) {
      throw Error(
          "EfficientNetLite{}: \"{}\" is {} in the weights, expected {}. Are they another "
          "variant's?",
          options_.variant, item.key(), shape_text(*found), shape_text(item.value()));
    }
  }
  for (auto& item : own) {
    if (const Tensor* found = weights.find(item.key())) item.value().copy_(*found);
  }
}

std::vector<std::vector<std::shared_ptr<torch::nn::Module>>> EfficientNetLiteImpl::parts() {
  std::vector<std::vector<std::shared_ptr<torch::nn::Module>>> result;
  result.push_back({stem_.ptr(), stem_norm_.ptr()});
  for (const auto& block : *blocks_) result.push_back({block});
  result.push_back({head_.ptr(), head_norm_.ptr()});
  return result;
}

void EfficientNetLiteImpl::set_frozen(int64_t count) {
  frozen_ = count;
  const auto all = parts();
  for (size_t p = 0; p < all.size(); ++p) {
    for (const auto& module : all[p]) {
      for (auto& parameter : module->parameters()) {
        parameter.set_requires_grad(static_cast<int64_t>(p) >= frozen_);
      }
    }
  }
  train(is_training());
}

void EfficientNetLiteImpl::freeze_until(int64_t block) {
  if (block < 0 || block > blocks()) {
    throw Error("EfficientNetLite{}: cannot freeze until block {}, expected 0..{}.",
                options_.variant, block, blocks());
  }
  set_frozen(block + 1);
}

void EfficientNetLiteImpl::freeze() { set_frozen(blocks() + 2); }
void EfficientNetLiteImpl::unfreeze() { set_frozen(0); }

int64_t EfficientNetLiteImpl::blocks() const { return static_cast<int64_t>(blocks_->size()); }

int64_t EfficientNetLiteImpl::resolution() const {
  return variants.at(static_cast<size_t>(options_.variant)).resolution;
}

void EfficientNetLiteImpl::train(bool on) {
  Module::train(on);
  const auto all = parts();
  for (size_t p = 0; p < all.size() && static_cast<int64_t>(p) < frozen_; ++p) {
    for (const auto& module : all[p]) module->eval();
  }
}

EfficientNetLite::EfficientNetLite(const EfficientNetLiteOptions& options)
    : ModuleHolder(std::make_shared<EfficientNetLiteImpl>(options)) {}

}  // namespace mtl::nn
