#pragma once

#include <string_view>

#include "mtl/deploy/kind.hpp"
#include "mtl/nn/encoders/efficientnet_lite.hpp"

namespace mtl::deploy_detail {

struct EfficientNetLiteKind {
  using Module = nn::EfficientNetLiteImpl;
  static constexpr std::string_view name = "EfficientNetLite";
  static constexpr std::string_view python = R"py(
class InvertedResidual(nn.Module):
    """1x1 expansion, depthwise convolution, 1x1 projection; the input is added where it fits."""

    def __init__(self, width, out, expansion, kernel, stride, drop_connect):
        super().__init__()
        wide = width * expansion
        if expansion != 1:
            self._expand_conv = nn.Conv2d(width, wide, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(wide, eps=1e-3, momentum=0.01)
        self._depthwise_conv = nn.Conv2d(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = nn.BatchNorm2d(wide, eps=1e-3, momentum=0.01)
        self._project_conv = nn.Conv2d(wide, out, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(out, eps=1e-3, momentum=0.01)
        self.adds, self.drop_connect = stride == 1 and width == out, drop_connect

    def forward(self, inputs):
        x = inputs
        if hasattr(self, "_expand_conv"):
            x = F.relu6(self._bn0(self._expand_conv(x)))
        x = F.relu6(self._bn1(padded_as_needed(self._depthwise_conv, x)))
        x = self._bn2(self._project_conv(x))
        if not self.adds:
            return x
        if self.training and self.drop_connect > 0:
            keep = 1 - self.drop_connect
            x = x * torch.empty(x.shape[0], 1, 1, 1).to(x).bernoulli_(keep).div_(keep)
        return x + inputs


def padded_as_needed(convolution, x):
    """TensorFlow's SAME: an odd pixel of padding goes right and below."""
    def sides(size):
        kernel, stride = convolution.kernel_size[0], convolution.stride[0]
        total = max(((size + stride - 1) // stride - 1) * stride + kernel - size, 0)
        return [total // 2, total - total // 2]
    return convolution(F.pad(x, sides(x.shape[3]) + sides(x.shape[2])))


class EfficientNetLite(nn.Module):
    """EfficientNet-Lite0..4, of normalised RGB pictures [N, 3, H, W]: features [N, 1280]."""

    def __init__(self, variant, drop_connect=0.0):
        super().__init__()
        wider, deeper = [(1, 1), (1, 1.1), (1.1, 1.2), (1.2, 1.4), (1.4, 1.8)][variant]
        stages = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
                  (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)]
        plan, width = [], 32
        for s, (repeats, kernel, stride, expansion, channels) in enumerate(stages):
            out = max(8, int(channels * wider + 4) // 8 * 8)
            out += 8 if out < 0.9 * channels * wider else 0
            for r in range(repeats if s in (0, 6) else math.ceil(repeats * deeper)):
                plan.append((width, out, expansion, kernel, stride if r == 0 else 1))
                width = out
        self._conv_stem = nn.Conv2d(3, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=1e-3, momentum=0.01)
        self._blocks = nn.ModuleList(InvertedResidual(*block, drop_connect * b / len(plan))
                                     for b, block in enumerate(plan))
        self._conv_head = nn.Conv2d(width, 1280, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(1280, eps=1e-3, momentum=0.01)

    def forward(self, pictures):
        x = F.relu6(self._bn0(padded_as_needed(self._conv_stem, pictures)))
        for block in self._blocks:
            x = block(x)
        return F.relu6(self._bn1(self._conv_head(x))).mean((2, 3))
)py";
  Module::Options options = {};

  static EfficientNetLiteKind of(const Module& module) { return {module.options()}; }
  void fields(Fields& f) {
    f("variant", options.variant);
    f("drop_connect", options.drop_connect);
  }
  double numbers() const { return 3e6; }  // the smallest has 3.4 million
  nn::Layer make() const { return std::make_shared<Module>(options); }
};

}  // namespace mtl::deploy_detail
