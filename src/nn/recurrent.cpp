#include "mtl/core/error.hpp"
#include "mtl/nn/encoders/recurrent_encoder.hpp"

namespace mtl::nn {
namespace {

template <class Rnn>
constexpr const char* rnn_name() {
  return std::is_same_v<Rnn, torch::nn::LSTM> ? "lstm" : "gru";
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
  return std::get<0>(rnn_->forward(sequence)).select(1, -1);
}

template class RecurrentEncoderImpl<torch::nn::LSTM>;
template class RecurrentEncoderImpl<torch::nn::GRU>;

LstmEncoder::LstmEncoder(const RecurrentOptions& options)
    : ModuleHolder(std::make_shared<RecurrentEncoderImpl<torch::nn::LSTM>>(options)) {}
GruEncoder::GruEncoder(const RecurrentOptions& options)
    : ModuleHolder(std::make_shared<RecurrentEncoderImpl<torch::nn::GRU>>(options)) {}

}  // namespace mtl::nn
