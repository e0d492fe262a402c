#pragma once

#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/modules/pooling.h>

#include <memory>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/deploy/kinds/steps.hpp"

// Torch's own layers, under Python's names and with Python's arguments.

namespace mtl::deploy_detail {

struct LinearKind {
  using Module = torch::nn::LinearImpl;
  static constexpr std::string_view name = "nn.Linear";
  int64_t in_features = 0, out_features = 0;
  bool bias = true;

  static LinearKind of(const Module& module) {
    const auto& options = module.options;
    return {options.in_features(), options.out_features(), options.bias()};
  }
  void fields(Fields& f) {
    f("in_features", in_features);
    f("out_features", out_features);
    f("bias", bias);
  }
  double numbers() const {
    return (static_cast<double>(in_features) + (bias ? 1 : 0)) * static_cast<double>(out_features);
  }
  nn::Layer make() const {
    return torch::nn::Linear(torch::nn::LinearOptions(in_features, out_features).bias(bias));
  }
};

/// What does not train needs no padding_idx.
struct EmbeddingKind {
  using Module = torch::nn::EmbeddingImpl;
  static constexpr std::string_view name = "nn.Embedding";
  int64_t num_embeddings = 0, embedding_dim = 0;

  static EmbeddingKind of(const Module& module) {
    if (module.options.max_norm())
      throw Error("{}: max_norm, which changes the weights in use, cannot be described", name);
    return {module.options.num_embeddings(), module.options.embedding_dim()};
  }
  void fields(Fields& f) {
    f("num_embeddings", num_embeddings);
    f("embedding_dim", embedding_dim);
  }
  double numbers() const {
    return static_cast<double>(num_embeddings) * static_cast<double>(embedding_dim);
  }
  nn::Layer make() const { return torch::nn::Embedding(num_embeddings, embedding_dim); }
};

template <class Array>
std::vector<int64_t> listed(const Array& sizes) {
  return {sizes->begin(), sizes->end()};
}

template <size_t D>
torch::ExpandingArray<D> expanded(const std::vector<int64_t>& sizes, std::string_view kind) {
  if (sizes.size() != D) throw Error("{}: found {} sizes, expected {}", kind, sizes.size(), D);
  for (const int64_t size : sizes) require_small({size}, kind);
  return torch::ExpandingArray<D>(sizes);
}

template <size_t D, class Impl>
struct ConvKind {
  using Module = Impl;
  static constexpr std::string_view name = D == 1 ? "nn.Conv1d" : "nn.Conv2d";
  int64_t in_channels = 0, out_channels = 0, groups = 1;
  std::vector<int64_t> kernel_size, stride, padding, dilation;
  bool bias = true;

  static ConvKind of(const Module& module) {
    const auto& options = module.options;
    const auto* padding = get_if<torch::ExpandingArray<D>>(&options.padding());
    if (padding == nullptr)
      throw Error("{}: padding by a word cannot be described; give it as numbers", name);
    if (torch::enumtype::get_enum_name(options.padding_mode()) != "kZeros")
      throw Error("{}: only padding with zeros can be described", name);
    return {options.in_channels(),      options.out_channels(),
            options.groups(),           listed(options.kernel_size()),
            listed(options.stride()),   listed(*padding),
            listed(options.dilation()), options.bias()};
  }
  void fields(Fields& f) {
    f("in_channels", in_channels);
    f("out_channels", out_channels);
    f("kernel_size", kernel_size);
    f("stride", stride);
    f("padding", padding);
    f("dilation", dilation);
    f("groups", groups);
    f("bias", bias);
  }
  double numbers() const {
    if (groups < 1 || in_channels < 1 || out_channels < 1)
      throw Error("{}: found {} channels to {} in {} groups, expected at least 1 each", name,
                  in_channels, out_channels, groups);
    double count = static_cast<double>(in_channels) * static_cast<double>(out_channels) /
                   static_cast<double>(groups);
    for (const int64_t size : kernel_size) count *= static_cast<double>(size);
    return count + (bias ? static_cast<double>(out_channels) : 0);
  }
  nn::Layer make() const {
    using Options = torch::nn::ConvOptions<D>;
    return std::make_shared<Module>(
        Options(in_channels, out_channels, expanded<D>(kernel_size, name))
            .stride(expanded<D>(stride, name))
            .padding(expanded<D>(padding, name))
            .dilation(expanded<D>(dilation, name))
            .groups(groups)
            .bias(bias));
  }
};

template <size_t D, class Impl>
struct BatchNormKind {
  using Module = Impl;
  static constexpr std::string_view name = D == 1 ? "nn.BatchNorm1d" : "nn.BatchNorm2d";
  int64_t num_features = 0;
  double eps = 1e-5, momentum = 0.1;
  bool affine = true, track_running_stats = true;

  static BatchNormKind of(const Module& module) {
    const auto& options = module.options;
    if (!options.momentum())
      throw Error("{}: only a momentum that is a number can be described", name);
    return {options.num_features(), options.eps(), *options.momentum(), options.affine(),
            options.track_running_stats()};
  }
  void fields(Fields& f) {
    f("num_features", num_features);
    f("eps", eps);
    f("momentum", momentum);
    f("affine", affine);
    f("track_running_stats", track_running_stats);
  }
  double numbers() const {
    return ((affine ? 2 : 0) + (track_running_stats ? 2 : 0)) * static_cast<double>(num_features);
  }
  nn::Layer make() const {
    return std::make_shared<Module>(torch::nn::BatchNormOptions(num_features)
                                        .eps(eps)
                                        .momentum(momentum)
                                        .affine(affine)
                                        .track_running_stats(track_running_stats));
  }
};

struct GroupNormKind {
  using Module = torch::nn::GroupNormImpl;
  static constexpr std::string_view name = "nn.GroupNorm";
  int64_t num_groups = 0, num_channels = 0;
  double eps = 1e-5;
  bool affine = true;

  static GroupNormKind of(const Module& module) {
    const auto& options = module.options;
    return {options.num_groups(), options.num_channels(), options.eps(), options.affine()};
  }
  void fields(Fields& f) {
    f("num_groups", num_groups);
    f("num_channels", num_channels);
    f("eps", eps);
    f("affine", affine);
  }
  double numbers() const { return affine ? static_cast<double>(num_channels) : 0; }
  nn::Layer make() const {
    return torch::nn::GroupNorm(
        torch::nn::GroupNormOptions(num_groups, num_channels).eps(eps).affine(affine));
  }
};

struct LayerNormKind {
  using Module = torch::nn::LayerNormImpl;
  static constexpr std::string_view name = "nn.LayerNorm";
  std::vector<int64_t> normalized_shape;
  double eps = 1e-5;
  bool elementwise_affine = true;

  static LayerNormKind of(const Module& module) {
    const auto& options = module.options;
    return {options.normalized_shape(), options.eps(), options.elementwise_affine()};
  }
  void fields(Fields& f) {
    f("normalized_shape", normalized_shape);
    f("eps", eps);
    f("elementwise_affine", elementwise_affine);
  }
  double numbers() const {
    double count = elementwise_affine ? 1 : 0;
    for (const int64_t size : normalized_shape) count *= static_cast<double>(size);
    return count;
  }
  nn::Layer make() const {
    return torch::nn::LayerNorm(torch::nn::LayerNormOptions(normalized_shape)
                                    .eps(eps)
                                    .elementwise_affine(elementwise_affine));
  }
};

struct DropoutKind {
  using Module = torch::nn::DropoutImpl;
  static constexpr std::string_view name = "nn.Dropout";
  double p = 0.5;

  static DropoutKind of(const Module& module) { return {module.options.p()}; }
  void fields(Fields& f) { f("p", p); }
  nn::Layer make() const { return torch::nn::Dropout(p); }
};

struct FlattenKind {
  using Module = torch::nn::FlattenImpl;
  static constexpr std::string_view name = "nn.Flatten";
  int64_t start_dim = 1, end_dim = -1;

  static FlattenKind of(const Module& module) {
    return {module.options.start_dim(), module.options.end_dim()};
  }
  void fields(Fields& f) {
    f("start_dim", start_dim);
    f("end_dim", end_dim);
  }
  nn::Layer make() const {
    return torch::nn::Flatten(torch::nn::FlattenOptions().start_dim(start_dim).end_dim(end_dim));
  }
};

struct MaxPool2dKind {
  using Module = torch::nn::MaxPool2dImpl;
  static constexpr std::string_view name = "nn.MaxPool2d";
  std::vector<int64_t> kernel_size, stride, padding;

  static MaxPool2dKind of(const Module& module) {
    const auto& options = module.options;
    if (options.ceil_mode() || listed(options.dilation()) != std::vector<int64_t>{1, 1})
      throw Error("{}: ceil_mode and dilation cannot be described", name);
    return {listed(options.kernel_size()), listed(options.stride()), listed(options.padding())};
  }
  void fields(Fields& f) {
    f("kernel_size", kernel_size);
    f("stride", stride);
    f("padding", padding);
  }
  nn::Layer make() const {
    return torch::nn::MaxPool2d(torch::nn::MaxPool2dOptions(expanded<2>(kernel_size, name))
                                    .stride(expanded<2>(stride, name))
                                    .padding(expanded<2>(padding, name)));
  }
};

struct AvgPool2dKind {
  using Module = torch::nn::AvgPool2dImpl;
  static constexpr std::string_view name = "nn.AvgPool2d";
  std::vector<int64_t> kernel_size, stride, padding;
  bool count_include_pad = true;

  static AvgPool2dKind of(const Module& module) {
    const auto& options = module.options;
    if (options.ceil_mode() || options.divisor_override())
      throw Error("{}: ceil_mode and divisor_override cannot be described", name);
    return {listed(options.kernel_size()), listed(options.stride()), listed(options.padding()),
            options.count_include_pad()};
  }
  void fields(Fields& f) {
    f("kernel_size", kernel_size);
    f("stride", stride);
    f("padding", padding);
    f("count_include_pad", count_include_pad);
  }
  nn::Layer make() const {
    return torch::nn::AvgPool2d(torch::nn::AvgPool2dOptions(expanded<2>(kernel_size, name))
                                    .stride(expanded<2>(stride, name))
                                    .padding(expanded<2>(padding, name))
                                    .count_include_pad(count_include_pad));
  }
};

struct LeakyReLuKind {
  using Module = torch::nn::LeakyReLUImpl;
  static constexpr std::string_view name = "nn.LeakyReLU";
  double negative_slope = 0.01;

  static LeakyReLuKind of(const Module& module) { return {module.options.negative_slope()}; }
  void fields(Fields& f) { f("negative_slope", negative_slope); }
  nn::Layer make() const {
    return torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(negative_slope));
  }
};

/// A layer of one's own choice without options.
template <class Impl>
struct PlainKind {
  using Module = Impl;
  void fields(Fields&) {}
  nn::Layer make() const { return std::make_shared<Module>(); }
};
struct ReLuKind : PlainKind<torch::nn::ReLUImpl> {
  static constexpr std::string_view name = "nn.ReLU";
  static ReLuKind of(const Module&) { return {}; }
};
struct ReLu6Kind : PlainKind<torch::nn::ReLU6Impl> {
  static constexpr std::string_view name = "nn.ReLU6";
  static ReLu6Kind of(const Module&) { return {}; }
};
struct GeluKind : PlainKind<torch::nn::GELUImpl> {
  static constexpr std::string_view name = "nn.GELU";
  static GeluKind of(const Module& module) {
    if (module.options.approximate() != "none")
      throw Error("{}: only the exact function can be described", name);
    return {};
  }
};
struct SiluKind : PlainKind<torch::nn::SiLUImpl> {
  static constexpr std::string_view name = "nn.SiLU";
  static SiluKind of(const Module&) { return {}; }
};
struct TanhKind : PlainKind<torch::nn::TanhImpl> {
  static constexpr std::string_view name = "nn.Tanh";
  static TanhKind of(const Module&) { return {}; }
};
struct SigmoidKind : PlainKind<torch::nn::SigmoidImpl> {
  static constexpr std::string_view name = "nn.Sigmoid";
  static SigmoidKind of(const Module&) { return {}; }
};
struct IdentityKind : PlainKind<torch::nn::IdentityImpl> {
  static constexpr std::string_view name = "nn.Identity";
  static IdentityKind of(const Module&) { return {}; }
};

/// What was a torch::nn::Sequential, or was read as one.
template <class Impl>
struct SequentialKind {
  using Module = Impl;
  static constexpr std::string_view name = "nn.Sequential";
  struct Step {
    std::string key;
    Fields::Part part;
    void fields(Fields& f) {
      f("name", key);
      f("part", part);
    }
  };
  std::vector<Step> steps;

  static SequentialKind of(const Module& module) {
    SequentialKind described;
    for (const auto& item : module.named_children())
      described.steps.push_back({item.key(), {item.value(), {}}});
    return described;
  }
  void fields(Fields& f) { f("steps", steps); }
  nn::Layer make() const {
    auto made = std::make_shared<StepsImpl>();
    for (const Step& step : steps) made->add(step.key, step.part.layer);
    return made;
  }
};

}  // namespace mtl::deploy_detail
