#pragma once

#include <torch/nn/modules/rnn.h>

#include "mtl/nn/layer.hpp"

namespace mtl::nn {

struct RecurrentOptions {
  int64_t input_size = 0;
  int64_t hidden_size = 0;
  int64_t layers = 1;
  double dropout = 0.0;  // between layers, so it needs two of them
};

/// A recurrent network read at the last step: [N, steps, input_size] -> [N, hidden_size].
template <class Rnn>
class RecurrentEncoderImpl : public torch::nn::Module {
 public:
  /// Error: a size below 1, dropout outside [0, 1), dropout with one layer.
  explicit RecurrentEncoderImpl(const RecurrentOptions& options);
  Tensor forward(const Tensor& sequence);

 private:
  int64_t input_size_;
  Rnn rnn_ = nullptr;
};

/// Long short-term memory (Hochreiter, Schmidhuber 1997). Parameters: "lstm.*", named as in torch.
struct LstmEncoder : torch::nn::ModuleHolder<RecurrentEncoderImpl<torch::nn::LSTM>> {
  using torch::nn::ModuleHolder<RecurrentEncoderImpl<torch::nn::LSTM>>::ModuleHolder;
  LstmEncoder(const RecurrentOptions& options);
};

/// Gated recurrent unit (Cho et al. 2014). Parameters: "gru.*", named as in torch.
struct GruEncoder : torch::nn::ModuleHolder<RecurrentEncoderImpl<torch::nn::GRU>> {
  using torch::nn::ModuleHolder<RecurrentEncoderImpl<torch::nn::GRU>>::ModuleHolder;
  GruEncoder(const RecurrentOptions& options);
};

}  // namespace mtl::nn
