#pragma once

#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/nn/modules/rnn.h>

#include <string_view>
#include <tuple>
#include <type_traits>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/nn/lstm_layer.hpp"

namespace mtl::nn {

/// A recurrent network read at the last step: [N, steps, input_size] -> [N, hidden_size].
/// `Rnn` is torch::nn::LSTM or torch::nn::GRU; LstmEncoder and GruEncoder hold one.
template <class Rnn>
class RecurrentEncoderImpl : public torch::nn::Module {
  static constexpr bool is_lstm = std::is_same_v<Rnn, torch::nn::LSTM>;
  static constexpr const char* rnn_name = is_lstm ? "lstm" : "gru";

 public:
  struct Options {
    int64_t input_size = 0;
    int64_t hidden_size = 0;
    int64_t layers = 1;
    double dropout = 0.0;  ///< between layers, so it needs two of them
  };

  /// Error: a size below 1, dropout outside [0, 1), dropout with one layer.
  explicit RecurrentEncoderImpl(const Options& options)
      : torch::nn::Module(rnn_name), options_(options) {
    if (options.input_size < 1 || options.hidden_size < 1 || options.layers < 1)
      throw Error("{} encoder: input_size {}, hidden_size {}, layers {}: each must be at least 1",
                  rnn_name, options.input_size, options.hidden_size, options.layers);
    if (!(options.dropout >= 0 && options.dropout < 1))
      throw Error("{} encoder: dropout {} is not in [0, 1)", rnn_name, options.dropout);
    if (options.dropout > 0 && options.layers == 1)
      throw Error(
          "{} encoder: dropout acts between layers, and there is one layer; "
          "give layers >= 2 or dropout 0",
          rnn_name);
    using RnnOptions = std::conditional_t<is_lstm, torch::nn::LSTMOptions, torch::nn::GRUOptions>;
    rnn_ = register_module(rnn_name, Rnn(RnnOptions(options.input_size, options.hidden_size)
                                             .num_layers(options.layers)
                                             .dropout(options.dropout)
                                             .batch_first(true)));
  }

  /// Error: an input of another shape than [N, steps, input_size], or no step.
  Tensor forward(const Tensor& sequence) {
    if (sequence.dim() != 3 || sequence.size(1) < 1 || sequence.size(2) != options_.input_size)
      throw Error("{} encoder: found input {}, expected [N, steps, {}]", rnn_name,
                  shape_text(sequence), options_.input_size);
    constexpr auto autocast = c10::DispatchKey::AutocastCPU;
    if (c10::impl::tls_is_dispatch_key_excluded(autocast)) return answer(sequence);
    // LibTorch 1 has no recurrent layer that takes autocast on the CPU: it stays as it is.
    const c10::impl::ExcludeDispatchKeyGuard without(autocast);
    return answer(sequence.to(rnn_->all_weights().front().scalar_type()));
  }

  const Options& options() const { return options_; }

 private:
  Tensor answer(const Tensor& sequence) {
    if constexpr (is_lstm)
      if (nn_detail::is_slow_in_torch(sequence)) return last_step(sequence);
    return std::get<0>(rnn_->forward(sequence)).select(1, -1);
  }

  // What rnn_->forward gives at the last step, with the same random numbers for dropout.
  Tensor last_step(const Tensor& sequence) {
    const auto& options = rnn_->options_base;
    const auto weights = rnn_->all_weights();  // four a layer
    Tensor x = sequence.transpose(0, 1);
    for (int64_t layer = 0; layer < options.num_layers(); ++layer) {
      if (layer > 0 && options.dropout() > 0)
        x = torch::dropout(x, options.dropout(), rnn_->is_training());
      const auto* own = &weights[static_cast<size_t>(4 * layer)];
      x = nn_detail::lstm_layer(x, {own[0], own[1], own[2], own[3]});
    }
    return x[-1];
  }

  Options options_;
  Rnn rnn_ = nullptr;
};

}  // namespace mtl::nn
