#include "lstm_layer.hpp"
#include "mtl/core/error.hpp"
#include "mtl/nn/encoders/recurrent_encoder.hpp"

namespace mtl::nn {
namespace {

template <class Rnn>
constexpr const char* rnn_name() {
  return std::is_same_v<Rnn, torch::nn::LSTM> ? "lstm" : "gru";
}

// What lstm->forward gives at the last step, with the same random numbers for dropout.
Tensor last_step(torch::nn::LSTMImpl& lstm, const Tensor& sequence) {
  const auto& options = lstm.options_base;
  const auto weights = lstm.all_weights();  // four a layer
  auto x = sequence.transpose(0, 1);
  for (int64_t layer = 0; layer < options.num_layers(); ++layer) {
    if (layer > 0 && options.dropout() > 0)
      x = torch::dropout(x, options.dropout(), lstm.is_training());
    const auto* own = &weights[4 * layer];
    x = lstm_layer(x, {own[0], own[1], own[2], own[3]});
  }
  return x[-1];
}

}  // namespace

template <class Rnn>
RecurrentEncoderImpl<Rnn>::RecurrentEncoderImpl(const RecurrentOptions& options)
    : torch::nn::Module(rnn_name<Rnn>()), input_size_(options.input_size) {
  if (options.input_size < 1 || options.hidden_size < 1 || options.layers < 1)
    throw Error("{} encoder: input_size {}, hidden_size {}, layers {}: each must be at least 1",
                rnn_name<Rnn>(), options.input_size, options.hidden_size, options.layers);
  if (options.dropout < 0 || options.dropout >= 1)
    throw Error("{} encoder: dropout {} is not in [0, 1)", rnn_name<Rnn>(), options.dropout);
  if (options.dropout > 0 && options.layers == 1)
    throw Error(
        "{} encoder: dropout acts between layers, and there is one layer; give layers >= 2 or "
        "dropout 0",
        rnn_name<Rnn>());
  using RnnOptions = std::conditional_t<std::is_same_v<Rnn, torch::nn::LSTM>,
                                        torch::nn::LSTMOptions, torch::nn::GRUOptions>;
  rnn_ = register_module(rnn_name<Rnn>(), Rnn(RnnOptions(options.input_size, options.hidden_size)
                                                  .num_layers(options.layers)
                                                  .dropout(options.dropout)
                                                  .batch_first(true)));
}

template <class Rnn>
Tensor RecurrentEncoderImpl<Rnn>::forward(const Tensor& sequence) {
  if (sequence.dim() != 3 || sequence.size(1) < 1 || sequence.size(2) != input_size_)
    throw Error("{} encoder: found input {}, expected [N, steps, {}]", rnn_name<Rnn>(),
                shape_text(sequence), input_size_);
  if constexpr (std::is_same_v<Rnn, torch::nn::LSTM>)
    if (is_slow_in_torch(sequence)) return last_step(*rnn_, sequence);
  return std::get<0>(rnn_->forward(sequence)).select(1, -1);
}

template class RecurrentEncoderImpl<torch::nn::LSTM>;
template class RecurrentEncoderImpl<torch::nn::GRU>;

LstmEncoder::LstmEncoder(const RecurrentOptions& options)
    : ModuleHolder(std::make_shared<RecurrentEncoderImpl<torch::nn::LSTM>>(options)) {}
GruEncoder::GruEncoder(const RecurrentOptions& options)
    : ModuleHolder(std::make_shared<RecurrentEncoderImpl<torch::nn::GRU>>(options)) {}

}  // namespace mtl::nn
