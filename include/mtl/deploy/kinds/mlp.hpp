#pragma once

#include <string_view>

#include "mtl/deploy/kind.hpp"
#include "mtl/nn/encoders/mlp_encoder.hpp"

namespace mtl::deploy_detail {

struct MlpKind {
  using Module = nn::MlpImpl;
  static constexpr std::string_view name = "Mlp";
  static constexpr std::string_view python = R"py(
class Mlp(nn.Module):
    """Linear layers with an activation after each; with output_size a last one without."""

    def __init__(self, input_size, hidden_sizes, activation, dropout, output_size):
        super().__init__()
        sizes = [input_size, *hidden_sizes] + ([output_size] if output_size else [])
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.hidden, self.activation = len(hidden_sizes), ACTIVATIONS[activation]
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        for k, layer in enumerate(self.layers):
            x = layer(x)
            if k < self.hidden:
                x = self.dropout(self.activation(x))
        return x
)py";
  Module::Options options = {};

  static MlpKind of(const Module& module) { return {module.options()}; }
  void fields(Fields& f) {
    f("input_size", options.input_size);
    f("hidden_sizes", options.hidden_sizes);
    f.choice("activation", options.activation, nn::activation_names);
    f("dropout", options.dropout);
    f("output_size", options.output_size);
  }
  double numbers() const {
    auto in = static_cast<double>(options.input_size), sum = 0.0;
    for (const int64_t size : options.hidden_sizes) {
      sum += in * static_cast<double>(size);
      in = static_cast<double>(size);
    }
    return sum + in * static_cast<double>(options.output_size);
  }
  nn::Layer make() const { return std::make_shared<Module>(options); }
};

}  // namespace mtl::deploy_detail
