#pragma once

#include "mtl/core/tensor.hpp"

namespace mtl::nn_detail {

/// The parameters of one layer of torch::nn::LSTM by their names there, H its hidden size. The
/// gates lie one below the other: input, forget, cell, output.
struct LstmWeights {
  Tensor ih;       // [4H, in]
  Tensor hh;       // [4H, H]
  Tensor bias_ih;  // [4H]
  Tensor bias_hh;  // [4H]
};

/// Whether lstm_layer is there for this input: in main memory, where torch's own layer is not fused
/// (with LibTorch 1, and in double precision).
bool is_slow_in_torch(const Tensor& x);

/// One layer over x [steps, N, in], time first, from zero states: its hidden states [steps, N, H].
/// Can be differentiated any number of times.
Tensor lstm_layer(const Tensor& x, const LstmWeights& weights);

}  // namespace mtl::nn_detail
