#pragma once

#include <cstdint>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// One value a sample, and the weight with which it enters the mean.
struct SampleLosses {
  Tensor values;              // [N]
  Tensor weights = Tensor();  // [N]; undefined: all one
};

/// The mean loss of several samples as one number, and the sum of their weights.
struct MeanLoss {
  Tensor value;              // scalar
  Tensor weight = Tensor();  // scalar; undefined: the number of samples
};

/// A mean loss and the labelled samples behind it. The mean over several batches is
/// `sum(value * weight) / sum(weight)`, however the rows fell into them.
struct LossValue {
  Tensor value = Tensor();  // scalar; undefined when no sample is labelled
  int64_t samples = 0;      // those with a label and a weight above 0
  /// Scalar: the sum of the weights of samples and classes and of the labelled shares of rows;
  /// undefined: it is `samples`.
  Tensor weight = Tensor();
};

}  // namespace mtl
