#pragma once

#include <string_view>

#include "mtl/deploy/kind.hpp"
#include "mtl/nn/encoders/attention_encoder.hpp"

namespace mtl::deploy_detail {

struct AttentionEncoderKind {
  using Module = nn::AttentionEncoderImpl;
  static constexpr std::string_view name = "AttentionEncoder";
  static constexpr std::string_view python = R"py(
class AttentionEncoder(nn.Module):
    """Self-attention over tokens [N, L], 0 for filling, or real steps [N, L, in], NaN for filling:
    [N, 1 + L, width], a summary before the steps."""

    def __init__(self, vocabulary, input_size, width, heads, layers, feedforward_size, activation,
                 dropout):
        super().__init__()
        if vocabulary:
            self.tokens = nn.Embedding(vocabulary, width, padding_idx=0)
        else:
            self.steps = nn.Linear(input_size, width)
        self.summary = nn.Parameter(torch.zeros(width))
        self.layers = nn.ModuleList(
            AttentionLayer(width, heads, feedforward_size, ACTIVATIONS[activation], dropout)
            for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        if hasattr(self, "tokens"):
            filling = x == 0
            steps = self.tokens(x)
        else:
            filling = x.isnan().all(2)
            steps = self.steps(x.masked_fill(filling.unsqueeze(2), 0))
        x = torch.cat([self.summary.expand(steps.shape[0], 1, -1), steps + places(steps)], 1)
        unseen = F.pad(filling, (1, 0), value=False)
        for layer in self.layers:
            x = layer(x, unseen)
        return self.norm(x).masked_fill(unseen.unsqueeze(2), 0)


class AttentionLayer(nn.Module):
    """As nn.TransformerEncoderLayer(norm_first=True), parameters alike."""

    def __init__(self, width, heads, feedforward_size, activation, dropout):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
        self.linear1 = nn.Linear(width, feedforward_size)
        self.linear2 = nn.Linear(feedforward_size, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.activation, self.dropout = activation, nn.Dropout(dropout)

    def forward(self, x, unseen):
        y = self.norm1(x)
        y = self.self_attn(y, y, y, key_padding_mask=unseen, need_weights=False)[0]
        x = x + self.dropout(y)
        y = self.dropout(self.activation(self.linear1(self.norm2(x))))
        return x + self.dropout(self.linear2(y))


def places(steps):
    """Sines and cosines of each step's place, [L, width]."""
    width = steps.shape[2]
    rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float64, device=steps.device)
                     * (-math.log(10000.0) / width))
    place = torch.arange(steps.shape[1], dtype=torch.float64, device=steps.device)
    angle = place.unsqueeze(1) * rate
    return torch.stack([angle.sin(), angle.cos()], 2).flatten(1).to(steps.dtype)
)py";
  Module::Options options = {};

  static AttentionEncoderKind of(const Module& module) { return {module.options()}; }
  void fields(Fields& f) {
    f("vocabulary", options.vocabulary);
    f("input_size", options.input_size);
    f("width", options.width);
    f("heads", options.heads);
    f("layers", options.layers);
    f("feedforward_size", options.feedforward_size);
    f.choice("activation", options.activation, nn::activation_names);
    f("dropout", options.dropout);
  }
  double numbers() const {
    const auto width = static_cast<double>(options.width);
    const double of_layer =
        4 * width * width + 2 * width * static_cast<double>(options.feedforward_size) + 4 * width;
    return width * static_cast<double>(options.vocabulary + options.input_size) +
           static_cast<double>(options.layers) * of_layer;
  }
  nn::Layer make() const { return std::make_shared<Module>(options); }
};

}  // namespace mtl::deploy_detail
