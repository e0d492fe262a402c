#pragma once

#include <string_view>

#include "mtl/deploy/kind.hpp"
#include "mtl/nn/encoders/gru_encoder.hpp"
#include "mtl/nn/encoders/lstm_encoder.hpp"

namespace mtl::deploy_detail {

/// LstmEncoder and GruEncoder.
template <class Rnn, int gates>
struct RecurrentKind {
  using Module = nn::RecurrentEncoderImpl<Rnn>;
  typename Module::Options options = {};

  void fields(Fields& f) {
    f("input_size", options.input_size);
    f("hidden_size", options.hidden_size);
    f("layers", options.layers);
    f("dropout", options.dropout);
  }
  double numbers() const {
    const auto in = static_cast<double>(options.input_size),
               size = static_cast<double>(options.hidden_size),
               layers = static_cast<double>(options.layers);
    return gates * size * (in + size + (layers - 1) * 2 * size);
  }
  nn::Layer make() const { return std::make_shared<Module>(options); }
};

struct LstmKind : RecurrentKind<torch::nn::LSTM, 4> {
  static constexpr std::string_view name = "LstmEncoder";
  static constexpr std::string_view python = R"py(
class LstmEncoder(nn.Module):
    """Long short-term memory, read at the last step: [N, steps, input_size] -> [N, hidden_size]."""

    def __init__(self, input_size, hidden_size, layers, dropout):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, layers, dropout=dropout, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0][:, -1]
)py";
  static LstmKind of(const Module& module) { return {{module.options()}}; }
};

struct GruKind : RecurrentKind<torch::nn::GRU, 3> {
  static constexpr std::string_view name = "GruEncoder";
  static constexpr std::string_view python = R"py(
class GruEncoder(nn.Module):
    """Gated recurrent unit, read at the last step: [N, steps, input_size] -> [N, hidden_size]."""

    def __init__(self, input_size, hidden_size, layers, dropout):
        super().__init__()
        self.gru = nn.GRU(input_size, hidden_size, layers, dropout=dropout, batch_first=True)

    def forward(self, x):
        return self.gru(x)[0][:, -1]
)py";
  static GruKind of(const Module& module) { return {{module.options()}}; }
};

}  // namespace mtl::deploy_detail
