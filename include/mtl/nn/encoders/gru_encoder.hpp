#pragma once

#include <memory>

#include "mtl/nn/encoders/recurrent_encoder.hpp"

namespace mtl::nn {

/// Gated recurrent unit (Cho et al. 2014), read at the last step: [N, steps, input_size] ->
/// [N, hidden_size]. Parameters: "gru.*", named as in torch.
struct GruEncoder : torch::nn::ModuleHolder<RecurrentEncoderImpl<torch::nn::GRU>> {
  using torch::nn::ModuleHolder<RecurrentEncoderImpl<torch::nn::GRU>>::ModuleHolder;
  using Options = RecurrentEncoderImpl<torch::nn::GRU>::Options;
  GruEncoder(const Options& options) : ModuleHolder(options) {}
};

}  // namespace mtl::nn
