#pragma once

#include "mtl/core/tensor.hpp"

namespace mtl::task_detail {

/// Predictions and targets with a label and a weight above 0.
struct Rows {
  Tensor predictions, targets;
  Tensor weights;  // [n]; undefined: all one
  Tensor numbers;  // [n] in the whole; undefined: it is the whole
};

/// `sample_weights` [N], undefined: all one; `labelled` [N] bool, undefined: all.
/// Error: sample weights that are none.
Rows rows_that_count(const Tensor& predictions, const Tensor& targets, const Tensor& sample_weights,
                     const Tensor& labelled);

/// Error: predictions and targets of different numbers of samples.
void check_same_samples(const Tensor& predictions, const Tensor& targets);

}  // namespace mtl::task_detail
