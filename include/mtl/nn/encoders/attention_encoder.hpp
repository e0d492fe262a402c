#pragma once

#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/nn/activation.hpp"

namespace mtl::nn {

/// Every step looks at every other (Vaswani et al., NeurIPS 2017), normalised before each part
/// (Xiong et al., ICML 2020):
///     x = x + attention(norm1(x)),   x = x + linear2(activation(linear1(norm2(x))))
/// Parameters named, and numbers as in PyTorch's TransformerEncoderLayer(norm_first=True).
class AttentionLayerImpl : public torch::nn::Module {
 public:
  AttentionLayerImpl(int64_t width, int64_t heads, int64_t feedforward_size, Activation activation,
                     double dropout)
      : torch::nn::Module("AttentionLayer"), activation_(activation), dropout_(dropout) {
    register_module("self_attn",
                    attention_ = torch::nn::MultiheadAttention(
                        torch::nn::MultiheadAttentionOptions(width, heads).dropout(dropout)));
    register_module("linear1", linear1_ = torch::nn::Linear(width, feedforward_size));
    register_module("linear2", linear2_ = torch::nn::Linear(feedforward_size, width));
    register_module("norm1", norm1_ = torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})));
    register_module("norm2", norm2_ = torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})));
  }

  /// [S, N, width], and which steps nobody looks at [N, S] bool.
  Tensor forward(const Tensor& input, const Tensor& filling) {
    const auto dropped = [this](const Tensor& x) {
      return dropout_ > 0 ? torch::dropout(x, dropout_, is_training()) : x;
    };
    Tensor y = norm1_->forward(input);
    y = std::get<0>(attention_->forward(y, y, y, filling, /*need_weights=*/false));
    const Tensor x = input + dropped(y);
    y = activate(activation_, linear1_->forward(norm2_->forward(x)));
    return x + dropped(linear2_->forward(dropped(y)));
  }

 private:
  Activation activation_;
  double dropout_;
  torch::nn::MultiheadAttention attention_ = nullptr;
  torch::nn::Linear linear1_ = nullptr, linear2_ = nullptr;
  torch::nn::LayerNorm norm1_ = nullptr, norm2_ = nullptr;
};

/// Layers of self-attention over a sequence, with filling left out: tokens [N, L], or real steps
/// [N, L, input_size], to [N, 1 + L, width]. The first step of the output is a learned one that
/// reads all others, for heads that answer once a sequence (SummaryHead), as in BERT (Devlin et
/// al., NAACL 2019); the others are those of the input, for heads that answer at each (StepHead).
///
/// Filling is token 0, or a step of which every value is NaN: PadToLongest{.fill = NaN}. Nothing
/// that is there depends on how much filling there is, and filling comes out as 0.
///
/// Steps know their place by sines and cosines of it, as in the first paper, so a sequence may be
/// longer than any in training. Parameters: "tokens.weight" ("steps.weight", "steps.bias"),
/// "summary", "layers.<k>.*" and "norm.*" as in PyTorch's TransformerEncoder of such layers.
class AttentionEncoderImpl : public torch::nn::Module {
 public:
  struct Options {
    int64_t vocabulary = 0;  ///< tokens are numbers below it, 0 is filling; 0: steps are real
    int64_t input_size = 0;  ///< values of a real step
    int64_t width = 64;      ///< of a step within; even, and a multiple of heads
    int64_t heads = 4;       ///< that look at different steps
    int64_t layers = 2;
    int64_t feedforward_size = 256;  ///< between the two linear layers of a layer
    Activation activation = Activation::gelu;
    double dropout = 0.0;  ///< of what is looked at, and after each part of a layer
  };

  /// Error: neither or both of vocabulary and input_size; a size below 1; a width that is odd or no
  /// multiple of heads; dropout outside [0, 1).
  explicit AttentionEncoderImpl(const Options& options)
      : torch::nn::Module("AttentionEncoder"), options_(options) {
    check(options);
    if (options.vocabulary > 0)
      tokens_ = register_module(
          "tokens",
          torch::nn::Embedding(
              torch::nn::EmbeddingOptions(options.vocabulary, options.width).padding_idx(0)));
    else
      steps_ = register_module("steps", torch::nn::Linear(options.input_size, options.width));
    summary_ = register_parameter("summary", 0.02 * torch::randn({options.width}));
    auto layers = std::make_shared<torch::nn::Module>("layers");
    for (int64_t k = 0; k < options.layers; ++k)
      layers_.push_back(layers->register_module(
          std::to_string(k), std::make_shared<AttentionLayerImpl>(
                                 options.width, options.heads, options.feedforward_size,
                                 options.activation, options.dropout)));
    register_module("layers", layers);
    norm_ =
        register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.width})));
  }

  /// Error: an input of another shape or type; a token outside [0, vocabulary) (on CPU).
  Tensor forward(const Tensor& input) {
    const Tensor filling = filling_of(input);
    // Torch's attention does not take a batch of no rows.
    if (input.size(0) == 0) {
      std::vector<int64_t> one = input.sizes().vec();
      one[0] = 1;
      return forward(torch::zeros(one, input.options())).narrow(0, 0, 0);
    }
    const Tensor steps = options_.vocabulary > 0
                             ? tokens_->forward(input)
                             : steps_->forward(input.masked_fill(filling.unsqueeze(2), 0));
    const Tensor placed = steps + places(steps);
    Tensor x =
        torch::cat({summary_.to(placed.scalar_type()).expand({input.size(0), 1, -1}), placed}, 1);
    const Tensor unseen = torch::constant_pad_nd(filling, {1, 0}, 0);  // the summary is there
    x = x.transpose(0, 1);
    for (const auto& layer : layers_) x = layer->forward(x, unseen);
    return norm_->forward(x.transpose(0, 1)).masked_fill(unseen.unsqueeze(2), 0);
  }

  const Options& options() const { return options_; }

 private:
  static void check(const Options& o) {
    if ((o.vocabulary > 0) == (o.input_size > 0) || o.vocabulary < 0 || o.input_size < 0)
      throw Error(
          "attention encoder: vocabulary {}, input_size {}; give the one for tokens or the other "
          "for real steps",
          o.vocabulary, o.input_size);
    if (o.layers < 1 || o.feedforward_size < 1)
      throw Error("attention encoder: layers {}, feedforward_size {}: each must be at least 1",
                  o.layers, o.feedforward_size);
    if (o.heads < 1 || o.width < 1 || o.width % o.heads != 0 || o.width % 2 != 0)
      throw Error(
          "attention encoder: width {}, heads {}; the width must be even and a multiple of heads",
          o.width, o.heads);
    if (!(o.dropout >= 0 && o.dropout < 1))
      throw Error("attention encoder: dropout {} is not in [0, 1)", o.dropout);
  }

  Tensor filling_of(const Tensor& input) const {
    if (options_.vocabulary == 0) {
      if (input.dim() != 3 || input.size(1) < 1 || input.size(2) != options_.input_size ||
          !input.is_floating_point())
        throw Error("attention encoder: found input {} of type {}, expected [N, steps, {}] real",
                    shape_text(input), toString(input.scalar_type()), options_.input_size);
      return input.isnan().all(2);
    }
    if (input.dim() != 2 || input.size(1) < 1 || input.scalar_type() != torch::kLong)
      throw Error("attention encoder: found input {} of type {}, expected tokens [N, L] of Long",
                  shape_text(input), toString(input.scalar_type()));
    if (input.device().is_cpu() && input.numel() > 0) {
      const auto low = input.min().item<int64_t>(), high = input.max().item<int64_t>();
      if (low < 0 || high >= options_.vocabulary)
        throw Error("attention encoder: found token {}, expected 0 to {} (vocabulary - 1)",
                    low < 0 ? low : high, options_.vocabulary - 1);
    }
    return input.eq(0);
  }

  /// [L, width]: sines in even columns, cosines in odd ones.
  static Tensor places(const Tensor& steps) {
    const int64_t width = steps.size(2);
    const auto type = steps.options().requires_grad(false).dtype(torch::kDouble);
    const Tensor rate = torch::exp(torch::arange(0, width, 2, type) *
                                   (-std::log(10000.0) / static_cast<double>(width)));
    const Tensor angle = torch::arange(steps.size(1), type).unsqueeze(1) * rate;
    return torch::stack({angle.sin(), angle.cos()}, 2).flatten(1).to(steps.scalar_type());
  }

  Options options_;
  torch::nn::Embedding tokens_ = nullptr;
  torch::nn::Linear steps_ = nullptr;
  Tensor summary_;
  std::vector<std::shared_ptr<AttentionLayerImpl>> layers_;
  torch::nn::LayerNorm norm_ = nullptr;
};

struct AttentionEncoder : torch::nn::ModuleHolder<AttentionEncoderImpl> {
  using torch::nn::ModuleHolder<AttentionEncoderImpl>::ModuleHolder;
  using Options = AttentionEncoderImpl::Options;
  AttentionEncoder(const Options& options) : ModuleHolder(options) {}
};

}  // namespace mtl::nn
