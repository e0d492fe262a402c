#pragma once

#include <memory>

#include "mtl/nn/encoders/recurrent_encoder.hpp"

namespace mtl::nn {

/// Long short-term memory (Hochreiter, Schmidhuber 1997), read at the last step: [N, steps,
/// input_size] -> [N, hidden_size]. Parameters: "lstm.*", named as in torch.
struct LstmEncoder : torch::nn::ModuleHolder<RecurrentEncoderImpl<torch::nn::LSTM>> {
  using torch::nn::ModuleHolder<RecurrentEncoderImpl<torch::nn::LSTM>>::ModuleHolder;
  using Options = RecurrentEncoderImpl<torch::nn::LSTM>::Options;
  LstmEncoder(const Options& options) : ModuleHolder(options) {}
};

}  // namespace mtl::nn
