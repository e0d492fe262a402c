#pragma once

#include <array>
#include <string_view>

#include "mtl/deploy/kind.hpp"
#include "mtl/nn/encoders/cnn_encoder.hpp"

namespace mtl::deploy_detail {

struct CnnKind {
  using Module = nn::CnnImpl;
  static constexpr std::string_view name = "CnnEncoder";
  static constexpr std::string_view python = R"py(
class CnnEncoder(nn.Module):
    """Stages of convolution-norm-activation blocks, then the mean over all positions."""

    def __init__(self, input_channels, channels, blocks, kernel_size, stride, norm, activation,
                 dropout):
        super().__init__()
        self.activation, self.dropout = ACTIVATIONS[activation], nn.Dropout(dropout)
        self.stages, width = nn.ModuleList(), input_channels
        for out in channels:
            self.stages.append(nn.ModuleList())
            for b in range(blocks):
                block = nn.Module()
                block.convolution = nn.Conv2d(width, out, kernel_size, stride if b == 0 else 1,
                                              kernel_size // 2, bias=norm == "none")
                if norm == "batch":
                    block.norm = nn.BatchNorm2d(out)
                if norm == "group":
                    block.norm = nn.GroupNorm(out // 8, out)
                self.stages[-1].append(block)
                width = out

    def forward(self, x):
        for stage in self.stages:
            for block in stage:
                x = block.convolution(x)
                if hasattr(block, "norm"):
                    x = block.norm(x)
                x = self.activation(x)
        return self.dropout(x.mean((2, 3)))
)py";
  static constexpr std::array<std::string_view, 3> norms = {"none", "batch", "group"};
  Module::Options options = {};

  static CnnKind of(const Module& module) { return {module.options()}; }
  void fields(Fields& f) {
    f("input_channels", options.input_channels);
    f("channels", options.channels);
    f("blocks", options.blocks);
    f("kernel_size", options.kernel_size);
    f("stride", options.stride);
    f.choice("norm", options.norm, norms);
    f.choice("activation", options.activation, nn::activation_names);
    f("dropout", options.dropout);
  }
  double numbers() const {
    require_small({options.stride}, name);
    const auto blocks = static_cast<double>(options.blocks);
    auto in = static_cast<double>(options.input_channels), sum = 0.0;
    for (const int64_t channels : options.channels) {
      const auto out = static_cast<double>(channels);
      sum += in * out + (blocks - 1) * out * out;
      in = out;
    }
    const auto kernel = static_cast<double>(options.kernel_size);
    return sum * kernel * kernel;
  }
  nn::Layer make() const { return std::make_shared<Module>(options); }
};

}  // namespace mtl::deploy_detail
