#pragma once

#include "mtl/core/tensor.hpp"
#include "mtl/train/history.hpp"

namespace mtl {

/// [epochs, columns]: epoch, learning rate, then total and losses of the training part, and total,
/// losses and metrics of the validation part where there is one.
Tensor history_tensor(const History& history);

/// [epochs, groups]: the learning rates of all groups, NaN where one had not joined, and back.
/// Error: it is none of this history.
Tensor rates_tensor(const History& history);
void set_rates(History& history, const Tensor& tensor);

/// The history that such a tensor is of. Error: it is none of results of these names.
History history_from(const ResultNames& names, const Tensor& tensor);

}  // namespace mtl
